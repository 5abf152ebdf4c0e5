"""What DynamoDB adds to the contract: partial batches, the state machine's writes, deployments that lack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.contract.conftest import Tables
from tests.contract.store_samples import (
    NOW,
    PARENT,
    cache_entry,
    completed,
    ended,
    run_record,
    running,
    succeeded,
)
from tests.contract.test_state_store_holds import hold

from upwell._aws import dynamodb_table
from upwell._aws.clients import Clients
from upwell._aws.dynamodb import DynamoStore, run_item
from upwell._aws.dynamodb_items import action_item, instant, read_action, text
from upwell._core.model import ErrorInfo, Outcome, RunRecord, Status
from upwell._core.usage import WRITE_UNIT_BYTES, item_bytes
from upwell._core.wire import dump_outcome, dump_record
from upwell.errors import NotDeployedError, UpwellError, UsageError

RUN_KEY = {"pk": {"S": "r1"}, "sk": {"S": "run"}}


@contextmanager
def tampered(clients: Clients, operation: str, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Change what moto answers, as moto never leaves anything undone."""

    def after_call(parsed: dict[str, Any], **_: object) -> None:
        change(parsed)

    event = f"after-call.dynamodb.{operation}"
    clients.dynamodb.meta.events.register(event, after_call)
    try:
        yield
    finally:
        clients.dynamodb.meta.events.unregister(event, after_call)


@pytest.fixture
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb_table, "BACKOFF_CAP_S", 0.0)


# --- what DynamoDB leaves undone ------------------------------------------------------------------------------


@pytest.mark.usefixtures("_no_waiting")
async def test_keys_that_were_not_processed_are_asked_for_again(
    moto: Tables, dynamodb_store: DynamoStore
) -> None:
    records = [running(f"a{i}") for i in range(10)]
    for record in records:
        await dynamodb_store.save(record, expected=None)
    table, calls = moto.settings.actions_table, []

    def all_but_three(parsed: dict[str, Any]) -> None:
        items = parsed["Responses"][table]
        calls.append(len(items))
        left, parsed["Responses"][table] = items[3:], items[:3]
        keys = [{"pk": item["pk"], "sk": item["sk"]} for item in left]
        parsed["UnprocessedKeys"] = {table: {"Keys": keys, "ConsistentRead": True}} if keys else {}

    with tampered(moto.clients, "BatchGetItem", all_but_three):
        found = await dynamodb_store.get_many([record.key for record in records])
    assert found == {record.key: record for record in records}
    assert calls == [10, 7, 4, 1]


@pytest.mark.usefixtures("_no_waiting")
async def test_items_that_were_not_processed_are_written_again(
    moto: Tables, dynamodb_store: DynamoStore
) -> None:
    table = moto.settings.journal_table
    requested: list[list[Any]] = []

    def remember(params: dict[str, Any], **_: object) -> None:
        requested.append(params["RequestItems"][table])

    def reject_the_last(parsed: dict[str, Any]) -> None:
        if len(requested) < 3:
            parsed["UnprocessedItems"] = {table: requested[-1][-5:]}

    events = moto.clients.dynamodb.meta.events
    events.register("provide-client-params.dynamodb.BatchWriteItem", remember)
    entries = [completed(NOW + i, f"c{i}", succeeded("x" * 2048)) for i in range(20)]  # an item each
    with tampered(moto.clients, "BatchWriteItem", reject_the_last):
        await dynamodb_store.append(PARENT, 0, entries)
    events.unregister("provide-client-params.dynamodb.BatchWriteItem", remember)
    assert [len(items) for items in requested] == [20, 5, 5]
    assert [item.entry for item in await dynamodb_store.read(PARENT, 0)] == entries


@pytest.mark.usefixtures("_no_waiting")
async def test_a_table_that_stays_overloaded_is_an_error_that_says_so(
    moto: Tables, dynamodb_store: DynamoStore
) -> None:
    def nothing(parsed: dict[str, Any]) -> None:
        table = moto.settings.cache_table
        parsed["Responses"] = {}
        parsed["UnprocessedKeys"] = {table: {"Keys": [{"pk": {"S": "k"}}]}}

    with (
        tampered(moto.clients, "BatchGetItem", nothing),
        pytest.raises(UpwellError, match=r"1 items of table upwell-\w+-cache could not be read in 10 tries"),
    ):
        await dynamodb_store.get_cached(["k"])


async def test_an_item_that_is_too_large_fails_alone_and_says_what_to_do(dynamodb_store: DynamoStore) -> None:
    large = ended(running(), succeeded("x" * 420_000))
    with pytest.raises(UpwellError, match=r"item r1#\w\w/a1 .* has 42\d{4} bytes, DynamoDB takes 409600; pass"):
        await dynamodb_store.save(large, expected=None)
    with pytest.raises(UpwellError, match="DynamoDB takes 409600"):
        await dynamodb_store.append(PARENT, 0, [completed(NOW, "c1", succeeded("x" * 420_000))])
    with pytest.raises(UpwellError, match="DynamoDB takes 409600"):
        await dynamodb_store.put_cached([cache_entry("k", "x" * 420_000)])


# --- runs that the state machine writes -----------------------------------------------------------------------


def record_in_place(moto: Tables, **attributes: str) -> None:
    """Set attributes of the run as the state machine does."""
    moto.clients.dynamodb.update_item(
        TableName=moto.settings.runs_table,
        Key=RUN_KEY,
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
        ExpressionAttributeNames={f"#{name}": name for name in attributes},
        ExpressionAttributeValues={f":{name}": {"S": text} for name, text in attributes.items()},
    )


@pytest.fixture
async def run(moto: Tables) -> RunRecord:
    """A run whose record the state machine wrote."""
    run = run_record()
    moto.clients.dynamodb.put_item(TableName=moto.settings.runs_table, Item=run_item(run))
    return run


async def test_what_the_state_machine_wrote_at_the_start_is_a_saved_run(
    run: RunRecord, dynamodb_store: DynamoStore
) -> None:
    assert await dynamodb_store.get_run("r1") == run
    assert await dynamodb_store.list_runs() == [run]
    assert await dynamodb_store.save_run(replace(run, version=2), expected=1)


async def test_the_end_that_the_state_machine_recorded_is_read_as_a_newer_version(
    run: RunRecord, moto: Tables, dynamodb_store: DynamoStore
) -> None:
    record_in_place(
        moto, status="SUCCEEDED", ended_at="2027-01-15T08:00:07.500Z", outcome=dump_outcome(succeeded("7"))
    )
    at = datetime(2027, 1, 15, 8, 0, 7, 500_000, tzinfo=UTC).timestamp()
    done = replace(run, status=Status.SUCCEEDED, version=2, ended_at=at, outcome=succeeded("7"))
    assert await dynamodb_store.get_run("r1") == done
    assert await dynamodb_store.list_runs() == [done]


async def test_a_run_is_listed_under_what_the_root_action_says_and_not_as_the_state_machine_knows_it(
    run: RunRecord, moto: Tables, dynamodb_store: DynamoStore
) -> None:
    error = ErrorInfo(code="DeadlineExceededError", message="too late")
    outcome = Outcome(status=Status.TIMED_OUT, error=error)
    record_in_place(moto, status="FAILED", ended_at="2027-01-15T08:00:07.500Z", outcome=dump_outcome(outcome))
    (found,) = await dynamodb_store.list_runs(statuses=[Status.TIMED_OUT])
    assert found.status is Status.TIMED_OUT
    assert await dynamodb_store.list_runs(statuses=[Status.FAILED]) == []
    assert await dynamodb_store.list_runs(statuses=[Status.FAILED, Status.TIMED_OUT]) == [found]
    assert await dynamodb_store.list_runs(statuses=[Status.RUNNING]) == []


async def test_a_status_that_shares_its_partition_is_found_by_whole_pages(
    moto: Tables, dynamodb_store: DynamoStore
) -> None:
    outcome = Outcome(status=Status.ABORTED, error=ErrorInfo(code="E", message="enough"))
    told = {"status": text("FAILED"), "ended_at": text(instant(NOW)), "outcome": text(dump_outcome(outcome))}
    for number in range(24):
        run = run_record(f"r{number:02}", created_at=NOW - number)
        item = run_item(replace(run, status=Status.FAILED)) if number >= 4 else run_item(run) | told
        moto.clients.dynamodb.put_item(TableName=moto.settings.runs_table, Item=item)
    queries: list[str] = []

    def note(**_: Any) -> None:
        queries.append("query")

    moto.clients.dynamodb.meta.events.register("before-call.dynamodb.Query", note)
    found = await dynamodb_store.list_runs(5, statuses=[Status.ABORTED])
    assert [(run.spec.run_id, run.status) for run in found] == [(f"r{n:02}", Status.ABORTED) for n in range(4)]
    assert len(queries) == 1 + 5, "one of what is written as ABORTED, five pages of what is as FAILED"


async def test_a_save_that_does_not_know_of_the_state_machines_write_loses(
    run: RunRecord, moto: Tables, dynamodb_store: DynamoStore
) -> None:
    record_in_place(moto, status="SUCCEEDED", outcome=dump_outcome(succeeded()))
    aborted = replace(run, status=Status.ABORTED, version=2)
    assert not await dynamodb_store.save_run(aborted, expected=1)
    done = await dynamodb_store.get_run("r1")
    assert done is not None
    assert done.status is Status.SUCCEEDED
    again = replace(done, status=Status.RUNNING, version=done.version + 1, outcome=None)
    assert await dynamodb_store.save_run(again, expected=done.version)
    assert not await dynamodb_store.save_run(again, expected=done.version)
    assert await dynamodb_store.get_run("r1") == again


async def test_a_failure_that_an_executor_told_of_is_read_whole(
    run: RunRecord, moto: Tables, dynamodb_store: DynamoStore
) -> None:
    error = ErrorInfo(code="ValueError", message="no", traceback="at 1")
    outcome = Outcome(status=Status.FAILED, error=error)
    record_in_place(moto, status="FAILED", error_code="ValueError", outcome=dump_outcome(outcome))
    failed = await dynamodb_store.get_run("r1")
    assert failed is not None
    assert failed.outcome == outcome


@pytest.mark.parametrize(
    ("status", "code", "cause", "message"),
    [
        ("TIMED_OUT", "States.Timeout", "", "the run ended as TIMED_OUT"),
        ("FAILED", "SQS.SqsException", "The queue does not exist.", "The queue does not exist."),
        ("FAILED", "States.Runtime", '{"no": "outcome"}', '{"no": "outcome"}'),
    ],
)
async def test_a_failure_of_the_state_machine_itself_is_an_outcome_too(
    run: RunRecord, moto: Tables, dynamodb_store: DynamoStore, status: str, code: str, cause: str, message: str
) -> None:
    record_in_place(moto, status=status, error_code=code, outcome=cause)
    failed = await dynamodb_store.get_run("r1")
    assert failed is not None
    error = ErrorInfo(code=code, message=message, kind="system", recoverable=False)
    assert failed.outcome == Outcome(status=Status(status), error=error)


# --- retention and deployment ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("asleep", "kept_d"), [(False, 1), (True, 400)])
async def test_a_place_that_nobody_leaves_expires_later_than_its_holder_can_sleep(
    moto: Tables, asleep: bool, kept_d: int
) -> None:
    await DynamoStore(moto.clients, moto.settings).take_hold(replace(hold(), asleep=asleep), replaces=None)
    (item,) = moto.clients.dynamodb.scan(TableName=moto.settings.runs_table)["Items"]
    assert int(item["expires_at"]["N"]) == int(hold().expires_at) + kept_d * 86_400


async def test_records_expire_after_the_retention_if_there_is_one(moto: Tables) -> None:
    keeping = DynamoStore(moto.clients, moto.settings, retention_s=3600.0)
    await keeping.save(running(), expected=None)
    await keeping.append(PARENT, 0, [completed(NOW + 5, "c1")])
    await keeping.put_cached([cache_entry("k")])
    await keeping.save_run(run_record(), expected=None)
    settings, expiries = moto.settings, []
    for table in (settings.actions_table, settings.journal_table, settings.cache_table, settings.runs_table):
        (item,) = moto.clients.dynamodb.scan(TableName=table)["Items"]
        expiries.append(int(item["expires_at"]["N"]) - int(NOW))
    assert expiries == [3600, 3605, 3600, 3600]


async def test_a_table_that_is_missing_is_a_deployment_that_is_missing(moto: Tables) -> None:
    store = DynamoStore(moto.clients, replace(moto.settings, prefix="upwell-nowhere"))
    with pytest.raises(NotDeployedError, match=r"table upwell-nowhere-actions does not exist; deploy"):
        await store.save(running(), expected=None)
    with pytest.raises(NotDeployedError, match="table upwell-nowhere-runs"):
        await store.get_run("r1")
    with pytest.raises(NotDeployedError, match="table upwell-nowhere-journal"):
        await store.append(PARENT, 0, [completed(NOW, "c1")])


async def test_missing_credentials_are_an_error_that_says_what_to_set(
    moto: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent/config")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    clients = Clients(region="us-east-1")
    with pytest.raises(UsageError, match=r"no usable AWS credentials for table .*AWS_PROFILE"):
        await DynamoStore(clients, moto.settings).get(PARENT)
    clients.close()


# --- sizes of records -----------------------------------------------------------------------------------------


async def test_a_record_that_is_a_little_above_a_write_unit_takes_one(dynamodb_store: DynamoStore) -> None:
    record = ended(running(), succeeded('"' + "the answer of a task; " * 30 + '"'))
    plain = {**action_item(record), "record": {"S": dump_record(record)}}
    assert WRITE_UNIT_BYTES < item_bytes(plain) < 2 * WRITE_UNIT_BYTES
    assert item_bytes(action_item(record)) <= WRITE_UNIT_BYTES
    assert await dynamodb_store.save(record, expected=None)
    assert await dynamodb_store.get(record.key) == record
    assert [found async for found in dynamodb_store.list_actions("r1")] == [record]


def test_a_record_that_fits_into_a_write_unit_is_kept_as_text() -> None:
    assert action_item(running())["record"] == {"S": dump_record(running())}


def test_a_large_record_that_was_kept_as_text_is_still_read() -> None:
    record = ended(running(), succeeded('"' + "x" * 3000 + '"'))
    assert read_action({"record": {"S": dump_record(record)}}) == record
