"""The handlers of messages, on emulated AWS: a bad message keeps no other back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from upwell._aws.dynamodb import DynamoStore
from upwell._core.model import ActionKey, ActionSpec, Payload, RunSpec, Status, TaskSpec
from upwell._core.wire import Message, dump_message
from upwell.testing.moto_aws import ACCOUNT, ENVIRONMENT, REGION, create_pool, moto_platform
from upwell_runtime import wiring
from upwell_runtime.handlers import dead_letters, execute

CONTEXT = SimpleNamespace(
    log_stream_name="stream", get_remaining_time_in_millis=lambda: 900_000, memory_limit_in_mb="1769"
)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoStore]:
    """The environment of a deployed function; gives the store."""
    with moto_platform() as (clients, settings):
        variables = {**settings.to_env(), **ENVIRONMENT, "AWS_DEFAULT_REGION": REGION}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        create_pool(clients, settings, "default-dead")
        for cached in (wiring.settings, wiring.ports, execute._executor):
            cached.cache_clear()
        yield DynamoStore(clients, settings)
        wiring.ports().close()
        for cached in (wiring.settings, wiring.ports, execute._executor):
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
