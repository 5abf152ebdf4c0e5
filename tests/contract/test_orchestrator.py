"""What every `Orchestrator` does: on the local store, and the real state machine (interpreted by moto).

The contract needs the fixtures `orchestrator`, `store`, `queue` and `pool` (the name of a queue) only, so that
another host can run it with fixtures of its own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from moto import mock_aws
from moto.core.responses import EmptyResult
from moto.stepfunctions.responses import StepFunctionResponse

from upwell._aws.clients import Clients
from upwell._aws.dynamodb import DynamoStore
from upwell._aws.orchestrator import StepFunctionsOrchestrator
from upwell._aws.queue import SqsQueue
from upwell._core.model import (
    ROOT_ID,
    ActionSpec,
    ErrorInfo,
    Outcome,
    Payload,
    RunRecord,
    RunSpec,
    Status,
    TaskSpec,
)
from upwell._core.ports import ActionQueue, Orchestrator, RunExistsError, StateStore
from upwell._core.settings import Settings
from upwell._core.wire import Message
from upwell._exec.environment import SystemClock
from upwell._local.orchestrator import LocalOrchestrator
from upwell._local.queue import MemoryQueue
from upwell._local.sqlite import SqliteStore
from upwell.errors import RunNotFoundError

PREFIX = "upwell-dev"
SUCCESS = Outcome(status=Status.SUCCEEDED, output=Payload(text='{"ü": 1}', size_bytes=9))
FAILURE = Outcome(status=Status.FAILED, error=ErrorInfo(code="ValueError", message="no", traceback="at 1"))


@dataclass(frozen=True)
class Hosted:
    """An orchestrator and what it works on."""

    orchestrator: Orchestrator
    store: StateStore
    queue: ActionQueue


@pytest.fixture(params=["local", "stepfunctions"])
async def hosted(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Hosted]:
    if request.param == "local":
        store, queue = SqliteStore(tmp_path / "state.db"), MemoryQueue(SystemClock())
        orchestrator = LocalOrchestrator(store, queue, SystemClock())
        yield Hosted(orchestrator, store, queue)
        await orchestrator.aclose()
        store.close()
        return
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(StepFunctionResponse, "send_task_failure", send_task_failure)
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        clients = Clients(region="us-east-1")
        settings = provision(clients)
        yield Hosted(
            StepFunctionsOrchestrator(clients, settings),
            DynamoStore(clients, settings),
            SqsQueue(clients, settings),
        )
        stop_executions(clients, settings)
        clients.close()


def send_task_failure(response: StepFunctionResponse) -> EmptyResult:
    """Stands in for moto's own, which drops the cause."""
    names = {"task_token": "taskToken", "error": "error", "cause": "cause"}
    arguments = {name: response._get_param(parameter) for name, parameter in names.items()}
    response.stepfunction_backend.send_task_failure(**arguments)
    return EmptyResult()


def provision(clients: Clients) -> Settings:
    """Create what runs need: the table, the state machine of the platform's template, a queue."""
    text = (resources.files("upwell._aws.templates") / "platform.json").read_text(encoding="utf-8")
    template = json.loads(text)["Resources"].values()
    for resource in template:
        properties = resource["Properties"]
        if resource["Type"] == "AWS::DynamoDB::Table" and properties["TableName"] == f"{PREFIX}-runs":
            names = ("TableName", "KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes")
            clients.dynamodb.create_table(**{name: properties[name] for name in names})
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            machine = clients.stepfunctions.create_state_machine(
                name=properties["StateMachineName"],
                definition=joined(properties["DefinitionString"]),
                roleArn="arn:aws:iam::123456789012:role/run",
            )
    queue = clients.sqs.create_queue(QueueName=f"{PREFIX}-default")
    return Settings(
        prefix=PREFIX,
        bucket="",
        state_machine_arn=machine["stateMachineArn"],
        queue_url_prefix=queue["QueueUrl"].removesuffix("default"),
    )


def joined(value: Any) -> str:
    """Return the text that CloudFormation makes of a string with references to the partition."""
    parts = value["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else {"AWS::Partition": "aws"}[part["Ref"]] for part in parts)


def stop_executions(clients: Clients, settings: Settings) -> None:
    """Let the threads of the emulated state machine end."""
    listed = clients.stepfunctions.list_executions(
        stateMachineArn=settings.state_machine_arn, statusFilter="RUNNING"
    )
    for execution in listed["executions"]:
        clients.stepfunctions.stop_execution(executionArn=execution["executionArn"])


@pytest.fixture
def orchestrator(hosted: Hosted) -> Orchestrator:
    return hosted.orchestrator


@pytest.fixture
def store(hosted: Hosted) -> StateStore:
    return hosted.store


@pytest.fixture
def queue(hosted: Hosted) -> ActionQueue:
    return hosted.queue


@pytest.fixture
def pool() -> str:
    return "default"


@pytest.fixture
def run(pool: str) -> RunRecord:
    spec = RunSpec(run_id=f"run-{uuid4().hex}", created_at=1_800_000_000.0)
    task = TaskSpec(name="env.main", module="program", pool=pool)
    inputs = Payload(text='{"x": "ü\\n"}', size_bytes=13)
    root = ActionSpec(run=spec, action_id=ROOT_ID, task=task, inputs=inputs, queued_at=1_800_000_000.0)
    return RunRecord(spec=spec, task=task.name, status=Status.RUNNING, root=root)


def recovered(run: RunRecord) -> RunRecord:
    """Return the run as its next generation submits it."""
    spec = replace(run.spec, generation=run.spec.generation + 1)
    return replace(run, spec=spec, root=replace(run.root, run=spec), version=run.version + 1)


async def receive_root(queue: ActionQueue, pool: str) -> Message:
    """Take the next message, as an executor does."""
    [delivery] = await queue.receive(pool, 1, 20, 60)
    await queue.delete([delivery])
    return delivery.message


async def ended(store: StateStore, run_id: str) -> RunRecord:
    """Return the record of a run once it has ended."""
    async with asyncio.timeout(30):
        # The end is written by another process; there is nothing to wait on.
        while (run := await store.get_run(run_id)) is None or not run.status.is_terminal:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return run


async def test_a_started_run_has_a_record_and_its_root_in_the_queue(
    orchestrator: Orchestrator, store: StateStore, queue: ActionQueue, pool: str, run: RunRecord
) -> None:
    await orchestrator.start(run)
    message = await receive_root(queue, pool)
    assert message.action == run.root
    assert message.task_token
    assert await store.get_run(run.spec.run_id) == run


async def test_success_is_recorded(
    orchestrator: Orchestrator, store: StateStore, queue: ActionQueue, pool: str, run: RunRecord
) -> None:
    await orchestrator.start(run)
    message = await receive_root(queue, pool)
    await orchestrator.root_ended(run.spec.run_id, message.task_token, SUCCESS)
    record = await ended(store, run.spec.run_id)
    assert (record.status, record.outcome) == (Status.SUCCEEDED, SUCCESS)
    assert record.ended_at is not None
    assert record.ended_at > 1_700_000_000
    assert record.root == run.root


async def test_failure_is_recorded(
    orchestrator: Orchestrator, store: StateStore, queue: ActionQueue, pool: str, run: RunRecord
) -> None:
    await orchestrator.start(run)
    message = await receive_root(queue, pool)
    await orchestrator.root_ended(run.spec.run_id, message.task_token, FAILURE)
    record = await ended(store, run.spec.run_id)
    assert (record.status, record.outcome) == (Status.FAILED, FAILURE)


async def test_only_the_first_end_of_the_root_counts(
    orchestrator: Orchestrator, store: StateStore, queue: ActionQueue, pool: str, run: RunRecord
) -> None:
    await orchestrator.start(run)
    message = await receive_root(queue, pool)
    await orchestrator.root_ended(run.spec.run_id, message.task_token, SUCCESS)
    first = await ended(store, run.spec.run_id)
    await orchestrator.root_ended(run.spec.run_id, message.task_token, SUCCESS)
    await orchestrator.root_ended(run.spec.run_id, message.task_token, FAILURE)
    assert await store.get_run(run.spec.run_id) == first


@pytest.mark.parametrize("outcome", [SUCCESS, FAILURE])
async def test_a_run_that_could_not_be_told_of_its_roots_end_is_settled(
    orchestrator: Orchestrator,
    store: StateStore,
    queue: ActionQueue,
    pool: str,
    run: RunRecord,
    outcome: Outcome,
) -> None:
    await orchestrator.start(run)
    message = await receive_root(queue, pool)
    await orchestrator.settle(run, outcome)
    first = await ended(store, run.spec.run_id)
    assert (first.status, first.outcome) == (outcome.status, outcome)
    await orchestrator.settle(run, outcome)
    await orchestrator.root_ended(run.spec.run_id, message.task_token, FAILURE)
    assert await store.get_run(run.spec.run_id) == first


async def test_another_run_of_the_same_name_is_refused(
    orchestrator: Orchestrator, queue: ActionQueue, pool: str, run: RunRecord
) -> None:
    await orchestrator.start(run)
    await receive_root(queue, pool)
    other = replace(run, spec=replace(run.spec, created_at=run.spec.created_at + 1))
    with pytest.raises(RunExistsError, match=run.spec.run_id):
        await orchestrator.start(other)
    assert await queue.receive(pool, 1, 0, 60) == []


async def test_an_ended_run_cannot_be_started_again(
    orchestrator: Orchestrator, store: StateStore, queue: ActionQueue, pool: str, run: RunRecord
) -> None:
    await orchestrator.start(run)
    message = await receive_root(queue, pool)
    await orchestrator.root_ended(run.spec.run_id, message.task_token, FAILURE)
    await ended(store, run.spec.run_id)
    with pytest.raises(RunExistsError, match="recover the run"):
        await orchestrator.start(replace(run, spec=replace(run.spec, created_at=5.0)))


async def test_the_next_generation_of_an_ended_run_starts(
    orchestrator: Orchestrator, store: StateStore, queue: ActionQueue, pool: str, run: RunRecord
) -> None:
    await orchestrator.start(run)
    first = await receive_root(queue, pool)
    await orchestrator.root_ended(run.spec.run_id, first.task_token, FAILURE)
    await ended(store, run.spec.run_id)
    again = recovered(run)
    await orchestrator.start(again)
    second = await receive_root(queue, pool)
    assert second.action == again.root
    record = await store.get_run(run.spec.run_id)
    assert record is not None
    assert (record.status, record.spec.generation, record.outcome) == (Status.RUNNING, 2, None)
    await orchestrator.root_ended(run.spec.run_id, first.task_token, FAILURE)  # late, of generation 1
    await orchestrator.root_ended(run.spec.run_id, second.task_token, SUCCESS)
    assert (await ended(store, run.spec.run_id)).status is Status.SUCCEEDED
    with pytest.raises(RunExistsError, match="generation 2"):
        await orchestrator.start(replace(again, spec=replace(again.spec, created_at=5.0)))


async def test_a_stopped_run_is_aborted_with_its_reason(
    orchestrator: Orchestrator, store: StateStore, queue: ActionQueue, pool: str, run: RunRecord
) -> None:
    await orchestrator.start(run)
    message = await receive_root(queue, pool)
    await orchestrator.stop(run.spec.run_id, "not needed any more")
    record = await store.get_run(run.spec.run_id)
    assert record is not None
    assert record.status is Status.ABORTED
    assert record.ended_at is not None
    assert record.outcome is not None
    assert record.outcome.error is not None
    assert record.outcome.error.code == "ActionAbortedError"
    assert record.outcome.error.message == "not needed any more"
    await orchestrator.root_ended(run.spec.run_id, message.task_token, SUCCESS)
    await orchestrator.stop(run.spec.run_id, "again")
    assert await store.get_run(run.spec.run_id) == record


async def test_stopping_an_ended_run_changes_nothing(
    orchestrator: Orchestrator, store: StateStore, queue: ActionQueue, pool: str, run: RunRecord
) -> None:
    await orchestrator.start(run)
    message = await receive_root(queue, pool)
    await orchestrator.root_ended(run.spec.run_id, message.task_token, SUCCESS)
    record = await ended(store, run.spec.run_id)
    await orchestrator.stop(run.spec.run_id, "too late")
    assert await store.get_run(run.spec.run_id) == record


async def test_a_recovered_run_is_stopped_in_its_latest_generation(
    orchestrator: Orchestrator, store: StateStore, queue: ActionQueue, pool: str, run: RunRecord
) -> None:
    await orchestrator.start(run)
    await receive_root(queue, pool)
    await orchestrator.stop(run.spec.run_id, "first")
    await orchestrator.start(recovered(run))
    await receive_root(queue, pool)
    await orchestrator.stop(run.spec.run_id, "second")
    record = await store.get_run(run.spec.run_id)
    assert record is not None
    assert record.status is Status.ABORTED
    assert record.spec.generation == 2
    assert record.outcome is not None
    assert record.outcome.error is not None
    assert record.outcome.error.message == "second"


async def test_a_run_that_nobody_started_cannot_be_stopped(orchestrator: Orchestrator) -> None:
    with pytest.raises(RunNotFoundError, match="there is no run 'nowhere'"):
        await orchestrator.stop("nowhere", "x")


async def test_a_run_that_takes_too_long_times_out(
    orchestrator: Orchestrator, store: StateStore, queue: ActionQueue, pool: str, run: RunRecord
) -> None:
    await orchestrator.start(run, timeout_s=1)
    message = await receive_root(queue, pool)
    record = await ended(store, run.spec.run_id)
    assert record.status is Status.TIMED_OUT
    await orchestrator.root_ended(run.spec.run_id, message.task_token, SUCCESS)
    assert await store.get_run(run.spec.run_id) == record
