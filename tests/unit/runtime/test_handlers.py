"""The handlers of messages, on emulated AWS: a bad message keeps no other back."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from upwell._aws.dynamodb import DynamoStore
from upwell._core.journal import Completed
from upwell._core.metrics import Metric
from upwell._core.model import ActionKey, ActionSpec, Payload, RunRecord, RunSpec, Status, TaskSpec
from upwell._core.wire import Message, dump_message
from upwell.testing.moto_aws import ACCOUNT, ENVIRONMENT, REGION, create_pool, moto_platform
from upwell_runtime import wiring
from upwell_runtime.handlers import dead_letters, execute, run_api, sweep

CONTEXT = SimpleNamespace(
    aws_request_id="request",
    log_stream_name="stream",
    get_remaining_time_in_millis=lambda: 900_000,
    memory_limit_in_mb="1769",
)


@pytest.fixture
def platform(component: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoStore]:
    """The environment of a deployed function; gives the store."""
    with moto_platform() as (clients, settings):
        variables = {**settings.to_env(), **ENVIRONMENT, "AWS_DEFAULT_REGION": REGION}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        create_pool(clients, settings, "default-dead")
        for cached in (wiring.ports, execute._executor, run_api.application):
            cached.cache_clear()
        yield DynamoStore(clients, settings)
        wiring.ports().close()
        for cached in (wiring.ports, execute._executor, run_api.application):
            cached.cache_clear()


def record(name: str, body: str, queue: str) -> dict[str, Any]:
    return {
        "messageId": name,
        "receiptHandle": f"receipt of {name}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "10"},
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
    }


def message(action_id: str) -> str:
    task = TaskSpec(name="env.task", module="program", pool="default")
    spec = ActionSpec(
        run=RunSpec(run_id="run"),
        action_id=action_id,
        task=task,
        inputs=Payload(text="{}", size_bytes=2),
        parent_id="a0",
    )
    return dump_message(Message(action=spec))


def written(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the one line of metrics that was written."""
    (line,) = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_dead_letter_of_a_later_version_ends_its_action_and_says_why(platform: DynamoStore) -> None:
    later = json.dumps({**json.loads(message("child")), "v": 99})
    letters = [record("later", later, "upwell-dev-default-dead")]
    assert dead_letters.handler({"Records": letters}, CONTEXT) == {"batchItemFailures": []}
    action = asyncio.run(platform.get(ActionKey("run", "child")))
    assert action is not None
    assert action.outcome is not None
    assert action.outcome.error is not None
    assert "cannot be read: the message is of version 99" in action.outcome.error.message
    entries = asyncio.run(platform.read(ActionKey("run", "a0"), 0))
    assert [item.entry.outcome for item in entries if isinstance(item.entry, Completed)] == [action.outcome]


def test_a_dead_letter_that_says_nothing_is_left_for_people_and_counted(
    platform: DynamoStore, capsys: pytest.CaptureFixture[str]
) -> None:
    sqs = wiring.ports().clients.sqs
    url = wiring.settings().queue_url("default-dead")
    sqs.send_message(QueueUrl=url, MessageBody="not a message")
    [received] = sqs.receive_message(QueueUrl=url)["Messages"]
    letter = record("bad", "not a message", "upwell-dev-default-dead")
    letter["receiptHandle"] = received["ReceiptHandle"]
    answer = dead_letters.handler({"Records": [letter]}, CONTEXT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert written(capsys)[Metric.UNREADABLE.title] == [1.0]
    assert asyncio.run(wiring.ports().queue.depth("default-dead")).in_flight == 1


def test_a_dead_letter_that_cannot_be_read_keeps_no_other_back(platform: DynamoStore) -> None:
    letters = [
        record(name, body, "upwell-dev-default-dead")
        for name, body in [
            ("bad", "not a message"),
            ("good", message("child")),
        ]
    ]
    answer = dead_letters.handler({"Records": letters}, CONTEXT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    action = asyncio.run(platform.get(ActionKey("run", "child")))
    assert action is not None
    assert action.status is Status.FAILED
    assert action.outcome is not None
    assert action.outcome.error is not None
    assert action.outcome.error.code == "RuntimeSystemError"


def test_a_message_that_cannot_be_read_is_reported_and_raises_nothing(platform: DynamoStore) -> None:
    event = {"Records": [record("bad", "{}", "upwell-dev-default")]}
    try:
        assert execute.handler(event, CONTEXT) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    finally:
        executor = execute._executor(CONTEXT.log_stream_name, int(CONTEXT.memory_limit_in_mb))
        execute._runner().run(executor.kernel.users.aclose())


def test_the_sweeper_looks_at_the_runs_that_are_due(
    platform: DynamoStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """A root that was sent and never claimed: its message is lost, so it is sent again."""
    spec = RunSpec(run_id="run")
    task = TaskSpec(name="env.main", module="program", pool="default")
    root = ActionSpec(
        run=spec, action_id="a0", task=task, inputs=Payload(text="{}", size_bytes=2), queued_at=1.0
    )
    run = RunRecord(spec=spec, task=task.name, status=Status.RUNNING, root=root, look_at=1.0)
    asyncio.run(platform.save_run(run, expected=None))
    assert sweep.handler({}, CONTEXT) == {"sent again": 1}
    assert asyncio.run(wiring.ports().queue.depth("default")).visible == 1
    assert written(capsys)[Metric.PUT_RIGHT.title] == [1.0]
    assert sweep.handler({}, CONTEXT) == {}, "it is not due again"


def request(method: str, path: str, body: str | None = None) -> dict[str, Any]:
    """Return a request as an HTTP API hands it to its function."""
    return {
        "version": "2.0",
        "routeKey": f"{method} /api/v1/{{path+}}",
        "rawPath": f"/api/v1{path}",
        "rawQueryString": "limit=5",
        "queryStringParameters": {"limit": "5"},
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": method, "path": f"/api/v1{path}"}, "stage": "$default"},
        "body": body,
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "part"),
    [
        ("GET", "/info", 200, {"backend": "aws", "stage": "dev", "region": REGION}),
        ("GET", "/runs", 200, {"runs": [], "next": None}),
        ("GET", "/runs/none", 404, {"error": {"code": "RunNotFoundError"}}),
        ("POST", "/runs/none/abort", 404, {"error": {"code": "RunNotFoundError"}}),
    ],
)
def test_the_run_api_is_the_console_s(
    platform: DynamoStore, method: str, path: str, status: int, part: dict[str, Any]
) -> None:
    for _ in range(2):  # the second request finds the application of the first one
        answer = run_api.handler(request(method, path, "{}" if method == "POST" else None), CONTEXT)
    body = json.loads(answer["body"])
    assert answer["statusCode"] == status
    for name, value in part.items():
        assert body[name] == value if not isinstance(value, dict) else value.items() <= body[name].items()


def test_the_run_api_compresses_for_those_who_take_it(platform: DynamoStore) -> None:
    event = request("GET", "/info")
    event["headers"]["accept-encoding"] = "gzip, br"
    answer = run_api.handler(event, CONTEXT)
    assert (answer["isBase64Encoded"], answer["headers"]["Content-Encoding"]) == (True, "gzip")
    assert json.loads(gzip.decompress(base64.b64decode(answer["body"])))["backend"] == "aws"
