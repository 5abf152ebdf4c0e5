"""What is particular to queues on SQS: its limits, its failures, and how many requests are made."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from upwell._aws.clients import Clients
from upwell._aws.queue import Depth, MessageTooLargeError, SqsQueue, delivery_from_lambda_record
from upwell._aws.queue_batches import EntryError
from upwell._core.model import ActionSpec, Payload, RunSpec, TaskSpec
from upwell._core.ports import PoolNotFoundError
from upwell._core.settings import Settings
from upwell._core.wire import Message, WireError, dump_message
from upwell.errors import UsageError

SETTINGS = Settings(
    prefix="upwell-test",
    bucket="",
    queue_url_prefix="https://sqs.us-east-1.amazonaws.com/123456789012/upwell-test-",
)
URL = SETTINGS.queue_url("alpha")


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        clients = Clients(region="us-east-1")
        clients.sqs.create_queue(QueueName="upwell-test-alpha")
        yield clients
        clients.close()


@pytest.fixture
def queue(clients: Clients) -> SqsQueue:
    return SqsQueue(clients, SETTINGS)


class Wire:
    """Watches requests on their way to SQS, and can make entries of one batch fail."""

    def __init__(self, clients: Clients, operation: str) -> None:
        self.requests: list[dict[str, Any]] = []
        self.fail_next: dict[str, Any] | None = None
        self._failed: list[str] = []
        events = clients.sqs.meta.events
        events.register(f"before-parameter-build.sqs.{operation}", self._request)
        events.register(f"after-call.sqs.{operation}", self._response)

    def _request(self, params: dict[str, Any], **_: Any) -> None:
        self.requests.append(json.loads(json.dumps(params)))
        if self.fail_next is not None:  # the last entry never reaches the queue
            self._failed = [params["Entries"].pop()["Id"]]

    def _response(self, parsed: dict[str, Any], **_: Any) -> None:
        if self.fail_next is not None:
            parsed["Failed"] = [{"Id": entry_id, **self.fail_next} for entry_id in self._failed]
            self.fail_next = None


def message(name: str, *, run_id: str = "run", text: str = "{}") -> Message:
    task = TaskSpec(name="env.task", module="program", pool="alpha")
    payload = Payload(text=text, size_bytes=len(text))
    return Message(action=ActionSpec(run=RunSpec(run_id=run_id), action_id=name, task=task, inputs=payload))


def when(clients: Clients, event: str) -> asyncio.Event:
    """Return what is set when a client of SQS emits an event."""
    loop, happened = asyncio.get_running_loop(), asyncio.Event()

    def note(**_: Any) -> None:  # from the thread that makes the request
        loop.call_soon_threadsafe(happened.set)

    clients.sqs.meta.events.register(event, note)
    return happened


async def test_a_pool_without_a_queue_is_named(queue: SqsQueue) -> None:
    with pytest.raises(PoolNotFoundError, match="nowhere"):
        await queue.send("nowhere", [message("a")])
    with pytest.raises(PoolNotFoundError, match="nowhere"):
        await queue.receive("nowhere", 1, 0, 30)
    with pytest.raises(PoolNotFoundError, match="nowhere"):
        await queue.depth("nowhere")


async def test_a_pool_exists_when_it_has_a_queue(queue: SqsQueue) -> None:
    assert await queue.exists("alpha")
    assert not await queue.exists("nowhere")


async def test_single_sends_share_requests(clients: Clients, queue: SqsQueue) -> None:
    wire = Wire(clients, "SendMessageBatch")
    await asyncio.gather(*(queue.send("alpha", [message(str(n))]) for n in range(100)))
    assert len(wire.requests) == 10
    assert (await queue.depth("alpha")) == Depth(visible=100, in_flight=0)


async def test_batches_stay_within_one_mebibyte(clients: Clients, queue: SqsQueue) -> None:
    wire = Wire(clients, "SendMessageBatch")
    await queue.send("alpha", [message(str(n), text='"' + "é" * 150_000 + '"') for n in range(7)])
    sizes = [sum(len(entry["MessageBody"].encode()) for entry in sent["Entries"]) for sent in wire.requests]
    assert max(sizes) <= 1024 * 1024
    assert len(sizes) == 3


async def test_a_message_above_the_limit_is_refused_with_its_size(queue: SqsQueue) -> None:
    with pytest.raises(MessageTooLargeError, match=r"env\.task.* bytes, SQS takes 1048576"):
        await queue.send("alpha", [message("a", text='"' + "x" * 1_100_000 + '"')])


async def test_messages_are_grouped_by_run(clients: Clients, queue: SqsQueue) -> None:
    await queue.send("alpha", [message("a", run_id="one")])
    response = clients.sqs.receive_message(QueueUrl=URL, MessageSystemAttributeNames=["MessageGroupId"])
    assert response["Messages"][0]["Attributes"] == {"MessageGroupId": "one"}


async def test_a_long_delay_is_capped(clients: Clients, queue: SqsQueue) -> None:
    wire = Wire(clients, "SendMessageBatch")
    await queue.send("alpha", [message("a")], delay_s=5000)
    await queue.send("alpha", [message("b")], delay_s=0.2)
    assert [sent["Entries"][0]["DelaySeconds"] for sent in wire.requests] == [900, 1]


async def test_an_entry_that_failed_on_the_side_of_sqs_is_sent_again(clients: Clients, queue: SqsQueue) -> None:
    wire = Wire(clients, "SendMessageBatch")
    wire.fail_next = {"Code": "InternalError", "Message": "later", "SenderFault": False}
    await queue.send("alpha", [message(str(n)) for n in range(3)])
    assert [len(sent["Entries"]) for sent in wire.requests] == [3, 1]
    assert (await queue.depth("alpha")).visible == 3


async def test_an_entry_that_failed_by_our_fault_is_an_error_of_its_sender_alone(
    clients: Clients, queue: SqsQueue
) -> None:
    wire = Wire(clients, "SendMessageBatch")
    wire.fail_next = {"Code": "InvalidMessageContents", "Message": "bad", "SenderFault": True}
    sends = [queue.send("alpha", [message(str(n))]) for n in range(3)]
    answers = await asyncio.gather(*sends, return_exceptions=True)
    assert answers[:2] == [None, None]
    assert isinstance(answers[2], EntryError)
    assert "InvalidMessageContents" in str(answers[2])


async def test_a_message_that_cannot_be_read_is_left_and_the_others_arrive(
    clients: Clients, queue: SqsQueue, caplog: pytest.LogCaptureFixture
) -> None:
    for body in ("not json", '{"v": 1}', '{"v": 99, "action": {}}'):
        clients.sqs.send_message(QueueUrl=URL, MessageBody=body)
    await queue.send("alpha", [message("a")])
    with caplog.at_level(logging.ERROR):
        [delivery] = await queue.receive("alpha", 10, 0, 30)
    assert delivery.message == message("a")
    assert len(caplog.records) == 3
    assert "not json" not in caplog.text
    assert await queue.depth("alpha") == Depth(visible=0, in_flight=4)


async def test_a_cancelled_poll_gives_back_what_it_still_receives(clients: Clients, queue: SqsQueue) -> None:
    polling = when(clients, "before-call.sqs.ReceiveMessage")
    given_back = when(clients, "after-call.sqs.ChangeMessageVisibilityBatch")
    poll = asyncio.create_task(queue.receive("alpha", 10, 20, 600))
    await polling.wait()
    poll.cancel()
    with pytest.raises(asyncio.CancelledError):
        await poll
    await queue.send("alpha", [message("a")])
    await given_back.wait()
    assert await queue.depth("alpha") == Depth(visible=1, in_flight=0)


async def test_missing_credentials_say_what_to_configure(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    clients = Clients(region="us-east-1")
    with pytest.raises(UsageError, match=r"no usable AWS credentials for queue upwell-test-alpha.*AWS_PROFILE"):
        await SqsQueue(clients, SETTINGS).send("alpha", [message("a")])
    clients.close()


def test_a_record_of_a_lambda_event_becomes_a_delivery() -> None:
    record = {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": dump_message(message("a")),
        "attributes": {"ApproximateReceiveCount": "3", "SentTimestamp": "1545082649183"},
        "eventSource": "aws:sqs",
    }
    delivery = delivery_from_lambda_record(record, "alpha")
    assert (delivery.pool, delivery.received) == ("alpha", 3)
    assert delivery.message == message("a")
    assert delivery.receipt == record["receiptHandle"]


def test_a_record_that_is_no_action_message_is_refused() -> None:
    record = {"body": "{}", "receiptHandle": "x", "attributes": {"ApproximateReceiveCount": "1"}}
    with pytest.raises(WireError, match="not an action message"):
        delivery_from_lambda_record(record, "alpha")
