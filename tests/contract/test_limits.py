"""What AWS refuses above a size, at that size and one byte above; and the largest that the engine makes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.contract.conftest import Tables
from tests.contract.store_samples import NOW, PARENT, running, value

import upwell
from upwell._aws.clients import Clients
from upwell._aws.dynamodb import DynamoStore
from upwell._aws.dynamodb_items import action_item, run_item
from upwell._aws.orchestrator import RESULT_BYTES, InputTooLargeError, StepFunctionsOrchestrator
from upwell._aws.queue import MessageTooLargeError, SqsQueue
from upwell._client.options import RunOptions
from upwell._client.submit import new_run
from upwell._core.journal import Completed, Scheduled, Sent
from upwell._core.limits import (
    DYNAMODB_ITEM_BYTES,
    ERROR_TEXT_BYTES,
    GROUP_BYTES,
    JOURNAL_SHARD_ENTRIES,
    MESSAGE_INLINE_BYTES,
    NAME_CHARS,
    RECORD_INLINE_BYTES,
    SQS_BATCH_BYTES,
    STEP_FUNCTIONS_PAYLOAD_BYTES,
    TRAVELLING_BYTES,
)
from upwell._core.model import (
    ATTEMPTS_KEPT,
    WARNINGS_KEPT,
    ActionKey,
    ActionRecord,
    ActionSpec,
    ActionWarning,
    Attempt,
    Executor,
    Lease,
    Outcome,
    Payload,
    RunRecord,
    RunSpec,
    Status,
    TaskSpec,
)
from upwell._core.settings import Settings
from upwell._core.sizes import json_bytes
from upwell._core.usage import item_bytes
from upwell._core.wire import Message, dump_message
from upwell._exec.failure import describe
from upwell._local.blobs import FolderBlobs

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/"
MOTO_ITEM_BYTES = 405_000
"""Where moto draws the line; DynamoDB's own is 400 KiB."""
ENVIRONMENT, FUNCTION = "e" * NAME_CHARS, "f" * NAME_CHARS
RUN_ID = "r" * 64


# --- the largest of everything --------------------------------------------------------------------------------


def quotes(limit_bytes: int) -> str:
    """Return a text that takes so many bytes within JSON, and twice as many with each further nesting."""
    return '"' * (limit_bytes // 2)


def largest_map() -> dict[str, str]:
    found = {"k": quotes(TRAVELLING_BYTES - json_bytes({"k": ""}))}
    assert TRAVELLING_BYTES - 1 <= json_bytes(found) <= TRAVELLING_BYTES
    return found


def largest_value(limit_bytes: int) -> Payload:
    text = json.dumps({"x": quotes(limit_bytes - len('{"x": ""}'))})
    return Payload(text=text, size_bytes=len(text))


def largest_spec() -> ActionSpec:
    run = RunSpec(
        run_id=RUN_ID,
        generation=999,
        bundle="b" * 64,
        created_at=NOW,
        custom_context=largest_map(),
        env_vars=largest_map(),
    )
    task = TaskSpec(
        name=f"{ENVIRONMENT}.{FUNCTION}",
        module="m" * 256,
        pool="p" * 32,
        cache_key="c" * 64,
        env_vars=largest_map(),
    )
    return ActionSpec(
        run=run,
        action_id="a" * 16,
        task=task,
        inputs=largest_value(RECORD_INLINE_BYTES),
        parent_id="b" * 16,
        group=quotes(GROUP_BYTES),
        queued_at=NOW,
    )


class Loud(Exception):  # noqa: N818  # its name is the longest there is
    def __str__(self) -> str:
        return "\x00" * 100_000


Loud.__name__ = "L" * 1000


def largest_record() -> ActionRecord:
    try:
        raise Loud
    except Loud as e:
        error = describe(e, "w" * 200)
    assert json_bytes(error.message) > ERROR_TEXT_BYTES - 20
    attempts = tuple(
        Attempt(
            number=n,
            executor=Executor(kind="lambda", id="i" * 200),
            started_at=NOW,
            ended_at=NOW,
            end="failed",
            error=error,
        )
        for n in range(ATTEMPTS_KEPT)
    )
    warning = ActionWarning(code="NonDeterminismWarning", message=quotes(ERROR_TEXT_BYTES), attempt=1)
    return replace(
        running(),
        spec=largest_spec(),
        status=Status.FAILED,
        lease=Lease(id="l" * 64, expires_at=NOW),
        attempts=attempts,
        outcome=Outcome(status=Status.FAILED, error=error),
        warnings=(warning,) * WARNINGS_KEPT,
        cached_from=ActionKey(RUN_ID, "a" * 16),
    )


env = upwell.TaskEnvironment("limits", env_vars=largest_map())


@env.task(cache="auto")
async def takes_text(x: str) -> str:
    return x


async def largest_run(tmp_path: Any, **options: Any) -> RunRecord:
    given: dict[str, Any] = {name: largest_map() for name in ("custom_context", "env_vars", "labels")}
    payload = largest_value(RECORD_INLINE_BYTES)
    assert payload.text is not None
    return await new_run(
        FolderBlobs(tmp_path),
        takes_text,
        payload.text.encode(),
        RunOptions(**{**given, **options}),
        run_id=RUN_ID,
        bundle="b" * 64,
        now=NOW,
    )


# --- SQS ------------------------------------------------------------------------------------------------------


@pytest.fixture
def queue(moto_clients: Clients) -> Iterator[SqsQueue]:
    name = "upwell-limits-alpha"
    moto_clients.sqs.create_queue(QueueName=name, Attributes={"MaximumMessageSize": str(SQS_BATCH_BYTES)})
    yield SqsQueue(
        moto_clients, Settings(prefix="upwell-limits", bucket="", queue_url_prefix=f"{QUEUE}upwell-limits-")
    )
    moto_clients.sqs.delete_queue(QueueUrl=QUEUE + name)


def message_of(size_bytes: int, name: str = "a") -> Message:
    """Return a message whose body has exactly so many bytes."""
    task = TaskSpec(name="env.task", module="program", pool="alpha")
    payload = Payload(text="x" * size_bytes, size_bytes=size_bytes)
    action = ActionSpec(run=RunSpec(run_id="run"), action_id=name, task=task, inputs=payload)
    too_much = len(dump_message(Message(action=action))) - size_bytes
    message = Message(action=replace(action, inputs=replace(payload, text="x" * (size_bytes - too_much))))
    assert len(dump_message(message)) == size_bytes
    return message


def batches(clients: Clients) -> list[int]:
    """Return a list that gets the number of messages of each batch."""
    found: list[int] = []

    def note(params: Mapping[str, Any], **_: Any) -> None:
        found.append(len(params["Entries"]))

    clients.sqs.meta.events.register("before-parameter-build.sqs.SendMessageBatch", note)
    return found


async def test_a_message_of_one_mebibyte_is_sent(queue: SqsQueue) -> None:
    await queue.send("alpha", [message_of(SQS_BATCH_BYTES)])
    (delivery,) = await queue.receive("alpha", 10, 0, 30)
    assert len(dump_message(delivery.message)) == SQS_BATCH_BYTES


async def test_a_message_of_one_byte_more_is_refused(queue: SqsQueue) -> None:
    with pytest.raises(MessageTooLargeError, match="is 1048577 bytes, SQS takes 1048576"):
        await queue.send("alpha", [message_of(SQS_BATCH_BYTES + 1)])


@pytest.mark.parametrize(("more_bytes", "sent"), [(0, [2]), (1, [1, 1])], ids=["at the limit", "above"])
async def test_a_batch_of_one_mebibyte_is_one_request_and_one_byte_more_makes_two(
    queue: SqsQueue, moto_clients: Clients, more_bytes: int, sent: list[int]
) -> None:
    found = batches(moto_clients)
    half = SQS_BATCH_BYTES // 2
    await queue.send("alpha", [message_of(half, "a"), message_of(half + more_bytes, "b")])
    assert found == sent


async def test_the_largest_message_that_a_parent_makes_is_far_below_the_limit(queue: SqsQueue) -> None:
    spec = replace(largest_spec(), inputs=largest_value(MESSAGE_INLINE_BYTES))
    assert len(dump_message(Message(action=spec)).encode()) < SQS_BATCH_BYTES // 4
    await queue.send("alpha", [Message(action=spec)] * 10)
    assert len(await queue.receive("alpha", 10, 0, 30)) == 10


# --- DynamoDB -------------------------------------------------------------------------------------------------


def record_of(size_bytes: int) -> ActionRecord:
    """Return a record whose item has exactly so many bytes."""

    def made(text: str) -> ActionRecord:
        return replace(running(), outcome=Outcome(status=Status.SUCCEEDED, output=value(text)))

    empty = item_bytes(action_item(made("")))
    text = "x" * (size_bytes - empty)
    record = made(text)
    over = item_bytes(action_item(record)) - size_bytes  # the length of the length
    record = made(text[:-over] if over else text)
    assert item_bytes(action_item(record)) == size_bytes
    return record


async def test_a_record_of_405_kb_is_saved(dynamodb_store: DynamoStore) -> None:
    at_limit = record_of(MOTO_ITEM_BYTES)
    assert await dynamodb_store.save(at_limit, expected=None)
    assert await dynamodb_store.get(at_limit.key) == at_limit


async def test_an_item_of_400_kib_is_let_through_and_one_byte_more_is_not(dynamodb_store: DynamoStore) -> None:
    with pytest.raises(ClientError, match="exceeded the maximum allowed size"):  # it is asked for
        await dynamodb_store.save(record_of(DYNAMODB_ITEM_BYTES), expected=None)
    with pytest.raises(upwell.errors.UpwellError, match="has 409601 bytes, DynamoDB takes 409600"):
        await dynamodb_store.save(record_of(DYNAMODB_ITEM_BYTES + 1), expected=None)


async def test_the_largest_record_that_the_engine_makes_is_saved(dynamodb_store: DynamoStore) -> None:
    record = largest_record()
    assert item_bytes(action_item(record)) < DYNAMODB_ITEM_BYTES * 3 // 4
    assert await dynamodb_store.save(record, expected=None)
    assert await dynamodb_store.get(record.key) == record


async def test_many_of_the_largest_records_are_read_in_pages(dynamodb_store: DynamoStore) -> None:
    keys = []
    for n in range(70):  # above the 16 MB of one request
        record = largest_record()
        record = replace(record, spec=replace(record.spec, action_id=f"{n:016}"))
        assert await dynamodb_store.save(record, expected=None)
        keys.append(record.key)
    assert set(await dynamodb_store.get_many(keys)) == set(keys)


async def test_a_journal_entry_of_a_whole_shard_of_the_longest_names_is_appended(
    dynamodb_store: DynamoStore,
) -> None:
    task = f"{ENVIRONMENT}.{FUNCTION}"
    children = tuple(
        Sent(action_id=f"{n:016}", task=task, pool="p" * 32, inputs="i" * 8)
        for n in range(JOURNAL_SHARD_ENTRIES)
    )
    entry = Scheduled(at=NOW, generation=999, shard=0, children=children, failures=99)
    await dynamodb_store.append(PARENT, 0, [entry])
    assert [item.entry for item in await dynamodb_store.read(PARENT, 0)] == [entry]


async def test_a_batch_of_the_largest_ends_is_appended(dynamodb_store: DynamoStore) -> None:
    record = largest_record()
    assert record.outcome is not None
    outcomes = [
        record.outcome,
        Outcome(status=Status.SUCCEEDED, output=largest_value(RECORD_INLINE_BYTES)),
    ] * 12
    entries = [
        Completed(at=NOW, generation=999, action_id=f"{n:016}", outcome=outcome)
        for n, outcome in enumerate(outcomes)
    ]
    await dynamodb_store.append(PARENT, 0, entries)
    assert len(await dynamodb_store.read(PARENT, 0)) == len(entries)


async def test_the_largest_run_is_saved(dynamodb_store: DynamoStore, moto: Tables, tmp_path: Any) -> None:
    run = await largest_run(tmp_path)
    assert item_bytes(run_item(run)) < DYNAMODB_ITEM_BYTES // 2
    assert await dynamodb_store.save_run(run, expected=None)
    assert await dynamodb_store.get_run(RUN_ID) == run


# --- Step Functions -------------------------------------------------------------------------------------------


@pytest.fixture
def orchestrator(moto_clients: Clients) -> Iterator[StepFunctionsOrchestrator]:
    made = moto_clients.stepfunctions.create_state_machine(
        name="upwell-limits-run",
        definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
        roleArn="arn:aws:iam::123456789012:role/run",
    )
    settings = Settings(
        prefix="upwell-limits",
        bucket="",
        state_machine_arn=made["stateMachineArn"],
        queue_url_prefix=f"{QUEUE}upwell-limits-",
    )
    yield StepFunctionsOrchestrator(moto_clients, settings)
    moto_clients.stepfunctions.delete_state_machine(stateMachineArn=made["stateMachineArn"])


async def test_the_largest_run_that_a_client_makes_can_be_started(
    orchestrator: StepFunctionsOrchestrator, tmp_path: Any
) -> None:
    run = await largest_run(tmp_path)
    room_bytes = STEP_FUNCTIONS_PAYLOAD_BYTES - RESULT_BYTES
    assert len(orchestrator._execution_input(run, None).encode()) < 0.95 * room_bytes
    await orchestrator.start(run)


@pytest.mark.parametrize("what", ["custom_context", "env_vars", "labels"])
async def test_a_run_with_more_to_carry_is_refused_by_its_name(tmp_path: Any, what: str) -> None:
    above = {name: text + "x" for name, text in largest_map().items()}
    assert json_bytes(above) <= TRAVELLING_BYTES + 1
    if json_bytes(above) == TRAVELLING_BYTES:
        above = {name: text + "x" for name, text in above.items()}
    with pytest.raises(upwell.errors.UsageError, match=f"{what} are 8,193 bytes"):
        await largest_run(tmp_path, **{what: above})


async def test_an_execution_input_at_the_limit_starts_and_one_byte_more_is_refused(
    orchestrator: StepFunctionsOrchestrator, tmp_path: Any
) -> None:
    run = await largest_run(tmp_path, labels={})
    room_bytes = STEP_FUNCTIONS_PAYLOAD_BYTES - RESULT_BYTES

    def with_label(length: int) -> RunRecord:
        return replace(run, labels={"more": "x" * length})

    length = room_bytes - len(orchestrator._execution_input(with_label(0), None).encode())
    at_limit = with_label(length)
    assert len(orchestrator._execution_input(at_limit, None).encode()) == room_bytes
    await orchestrator.start(at_limit)
    with pytest.raises(InputTooLargeError, match=f"makes an execution input of {room_bytes + 1} bytes"):
        await orchestrator.start(with_label(length + 1))


# --- where they are written -----------------------------------------------------------------------------------


def test_environment_variables_of_an_environment_are_checked_where_they_are_written() -> None:
    large = {"KEY": "x" * TRAVELLING_BYTES}
    at_fault = upwell.TaskEnvironment("limits-env", env_vars=large)
    with pytest.raises(upwell.errors.UsageError, match="env_vars are 8,202 bytes"):

        @at_fault.task
        async def task() -> None: ...

    with pytest.raises(upwell.errors.UsageError, match="env_vars are"):
        takes_text.override(env_vars=large)


def test_context_and_groups_are_checked_where_they_are_entered() -> None:
    with upwell.custom_context(**largest_map()):
        pass
    with (
        pytest.raises(upwell.errors.UsageError, match="custom_context are"),
        upwell.custom_context(k="x" * 9000),
    ):
        pass
    with pytest.raises(upwell.errors.UsageError, match="the name of group"), upwell.group("x" * 513):
        pass


@pytest.mark.parametrize(("length", "is_taken"), [(NAME_CHARS, True), (NAME_CHARS + 1, False)])
def test_names_are_checked_where_they_are_given(length: int, *, is_taken: bool) -> None:
    def define() -> None:
        named = upwell.TaskEnvironment("n" * length)

        async def task() -> None: ...

        task.__name__ = "t" * length
        named.task(task)

    if is_taken:
        define()
    else:
        with pytest.raises(ValueError, match="the name has 129 characters; it may have 128"):
            define()
