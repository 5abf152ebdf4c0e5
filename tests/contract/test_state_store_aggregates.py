"""What a store knows of a run's actions without reading them, and how it finds some of them."""

from __future__ import annotations

import asyncio
import copy
import math
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.contract.conftest import Tables
from tests.contract.store_samples import NOW, ended, run_record, running

from upwell._aws.dynamodb import DynamoStore
from upwell._aws.dynamodb_aggregates import DynamoAggregates
from upwell._core.aggregates import Kind
from upwell._core.cost import cost_of, efforts_of
from upwell._core.model import ActionKey, ActionRecord, ErrorInfo, Outcome, Status
from upwell._core.ports import StateStore
from upwell._local import sqlite_statements as statements
from upwell._local import sqlite_sums
from upwell._local.sqlite import SqliteStore

CatchUp = Callable[[], Awaitable[None]]
FAILURE = Outcome(status=Status.FAILED, error=ErrorInfo(code="E", message="m" * 2000))


def action(number: int) -> ActionRecord:
    record = running(f"a{number}")
    spec = replace(record.spec, group="g" if number % 2 else None, shard=number // 20)
    return replace(record, spec=spec, started_at=NOW + number, created_at=NOW)


async def save_lives(store: StateStore) -> None:
    """Save 40 actions, of which 30 have ended, after 0.5 or 1.5 s, and 3 of these failed."""
    actions = [action(n) for n in range(40)]
    await asyncio.gather(*(store.save(record, expected=None) for record in actions))
    for number, record in enumerate(actions[:30]):
        over = ended(record, FAILURE if number < 3 else None)
        over = replace(over, ended_at=NOW + number + (0.5 if number < 20 else 1.5))
        assert await store.save(over, expected=1)
    await store.save(replace(actions[35], version=2), expected=1)  # a heartbeat
    assert not await store.save(ended(actions[0]), expected=1)  # too late


def check(kinds: dict[tuple[str, str, str], Kind]) -> None:
    plain, grouped = kinds["", "env.double", ""], kinds["", "env.double", "g"]
    assert (plain.total, grouped.total) == (20, 20)
    assert {status: n for status, n in plain.counts.items() if n} == {
        "RUNNING": 5,
        "SUCCEEDED": 13,
        "FAILED": 2,
    }
    assert set(plain.failed) == {"a0", "a2"}
    assert set(grouped.slowest) >= {f"a{n}" for n in range(21, 30, 2)}
    assert (plain.longest_ms, plain.first_ms, plain.last_ms) == (1500, NOW * 1000, (NOW + 29.5) * 1000 - 0)
    assert kinds["a0", "env.double", ""].total + kinds["a0", "env.double", "g"].total == 20
    assert kinds["a0", "env.double", ""].first_shard == kinds["a0", "env.double", ""].last_shard == 1


async def test_what_was_saved_is_summed_up_by_task_group_and_level(
    state_store: StateStore, views_catch_up: CatchUp
) -> None:
    assert (await state_store.aggregates("r1")).counts == {}
    await save_lives(state_store)
    await views_catch_up()
    found = await state_store.aggregates("r1")
    counts = {status: n for status, n in found.counts["env.double"].items() if n}
    assert counts == {"RUNNING": 10, "SUCCEEDED": 27, "FAILED": 3}
    check(found.kinds)
    assert (await state_store.aggregates("r2")).counts == {}


async def test_actions_are_found_by_task_and_status_page_by_page(state_store: StateStore) -> None:
    await save_lives(state_store)
    await state_store.save(running("other", task="env.other"), expected=None)
    kinds = [("env.double", "RUNNING"), ("env.double", "FAILED"), ("env.none", "RUNNING")]
    names: list[str] = []
    after = None
    for _ in range(100):
        page, after = await state_store.find_actions("r1", kinds, after, 4)
        assert len(page) <= 4
        names += [record.spec.action_id for record in page]
        if after is None:
            break
    assert sorted(names) == sorted([*(f"a{n}" for n in range(30, 40)), "a0", "a1", "a2"])
    assert await state_store.find_actions("r2", kinds, None, 4) == ([], None)


async def test_a_stream_that_comes_again_and_out_of_order_is_taken_in_once(
    moto: Tables, dynamodb_store: DynamoStore
) -> None:
    await save_lives(dynamodb_store)
    records = moto.stream()
    rivals = [DynamoAggregates(moto.clients, moto.settings) for _ in range(2)]
    for batch in (records[30:50], records[:40], records[20:], records):
        assert await asyncio.gather(*(rival.apply(batch) for rival in rivals)) == [[], []]
    check((await dynamodb_store.aggregates("r1")).kinds)


async def test_a_lane_that_cannot_be_written_is_reported(moto: Tables, dynamodb_store: DynamoStore) -> None:
    await save_lives(dynamodb_store)
    records = moto.stream()
    lane = records[0]["dynamodb"]["Keys"]["pk"]["S"].rpartition("#")[2]
    key: dict[str, Any] = {"pk": {"S": "r1"}, "sk": {"S": f"sums#{lane}"}}
    moto.clients.dynamodb.put_item(TableName=moto.settings.runs_table, Item=key)
    aggregates = DynamoAggregates(moto.clients, moto.settings)
    failed = await aggregates.apply(records)
    assert records[0]["dynamodb"]["SequenceNumber"] in failed
    moto.clients.dynamodb.delete_item(TableName=moto.settings.runs_table, Key=key)
    assert await aggregates.apply(records) == []
    check((await dynamodb_store.aggregates("r1")).kinds)


async def test_a_record_of_a_later_version_holds_up_no_other(moto: Tables, dynamodb_store: DynamoStore) -> None:
    await save_lives(dynamodb_store)
    records = moto.stream()
    later = copy.deepcopy(records[0])
    later["dynamodb"]["NewImage"]["record"] = {"S": '{"status":"DREAMING"}'}
    aggregates = DynamoAggregates(moto.clients, moto.settings)
    assert await aggregates.apply([*records[:7], later, *records[7:]]) == []
    check((await dynamodb_store.aggregates("r1")).kinds)


async def test_many_saves_are_folded_by_the_way(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_sums, "WORTH_WRITING", 7)
    monkeypatch.setattr("upwell._local.sqlite.SAVES_FOLDED", 8)
    monkeypatch.setattr("upwell._local.sqlite.FOLDING_SHARE", math.inf)
    monkeypatch.setattr(sqlite_store, "_fold_at", 0.0)
    await save_lives(sqlite_store)
    check((await sqlite_store.aggregates("r1")).kinds)
    sqlite_store.close()
    with sqlite3.connect(sqlite_store.path) as connection:
        assert connection.execute("SELECT COUNT(*) FROM sums").fetchone() == (1,)
        assert connection.execute("SELECT COUNT(*) FROM changes").fetchone()[0] < 10
    again = SqliteStore(sqlite_store.path)
    check((await again.aggregates("r1")).kinds)
    assert await again.get(ActionKey("r1", "a0"))
    again.close()


async def test_many_changes_are_folded_a_few_at_a_time(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_sums, "WORTH_WRITING", 1)
    monkeypatch.setattr(sqlite_sums, "FOLDED_AT_ONCE", 7)
    monkeypatch.setattr(sqlite_sums, "ROOM_S", 0.0)
    await save_lives(sqlite_store)
    reads = [sqlite_store._sums.read("r1") for _ in range(3)]
    assert [(sum(found.counts["env.double"].values()), is_all) for found, is_all in reads] == [
        (7, False),
        (14, False),
        (21, False),
    ]
    monkeypatch.setattr("upwell._local.sqlite.READ_FOLDS_S", 0.0)
    assert sum((await sqlite_store.aggregates("r1")).counts["env.double"].values()) >= 28
    await asyncio.to_thread(sqlite_store._sums.catch_up, "r1")
    assert sqlite_store._sums.read("r1")[1]
    check((await sqlite_store.aggregates("r1")).kinds)
    assert (await sqlite_store.view("r1")).counts == {
        "env.double": {"RUNNING": 10, "SUCCEEDED": 27, "FAILED": 3}
    }


async def test_who_reads_does_not_wait_for_large_runs_to_be_folded(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_sums, "WORTH_WRITING", 1)
    monkeypatch.setattr(sqlite_sums, "FOLDED_AT_ONCE", 2)
    monkeypatch.setattr(sqlite_sums, "ROOM_S", 60.0)
    monkeypatch.setattr("upwell._local.sqlite.READ_FOLDS_S", 0.0)
    for run_id in ("r1", "r2", "r3"):
        for number in range(9):
            record = action(number)
            run = replace(record.spec.run, run_id=run_id)
            await sqlite_store.save(replace(record, spec=replace(record.spec, run=run)), expected=None)
        assert (await sqlite_store.aggregates(run_id)).counts["env.double"] == {"RUNNING": 2}
    counted = await asyncio.wait_for(sqlite_store.view("r3"), 30)
    assert counted.counts == {"env.double": {"RUNNING": 9}}


@pytest.mark.parametrize("at", ["running", "ended"])
async def test_an_action_that_changes_while_it_is_folded_is_counted_once(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    monkeypatch.setattr(sqlite_sums, "WORTH_WRITING", 1)
    saved = action(3)
    await sqlite_store.save(saved, expected=None)
    if at == "ended":
        saved = ended(saved)
        await sqlite_store.save(saved, expected=1)
    sums, write = sqlite_store._sums, sqlite_store._sums._write
    later = replace(action(3), version=saved.version + 1)
    after = statements.save_action(later, saved.version)

    def late(run_id: str, found: sqlite_sums.Sum) -> bool:
        assert after(sqlite_store._writer)
        return write(run_id, found)

    monkeypatch.setattr(sums, "_write", late)
    assert sums.read("r1")[0].counts["env.double"][saved.status.value] == 1
    monkeypatch.undo()
    counts = (await sqlite_store.aggregates("r1")).counts["env.double"]
    assert {status: n for status, n in counts.items() if n} == {"RUNNING": 1}
    whole = efforts_of([later])
    assert (await sqlite_store.aggregates("r1")).efforts.actions == whole.actions == 1


async def test_changes_wait_while_another_process_writes(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_sums, "WORTH_WRITING", 1)
    await save_lives(sqlite_store)
    other = sqlite3.connect(sqlite_store.path, isolation_level=None)
    sqlite_store._sums._connection.execute("PRAGMA busy_timeout = 10")
    other.execute("BEGIN IMMEDIATE")
    check((await sqlite_store.aggregates("r1")).kinds)
    other.execute("ROLLBACK")
    check((await sqlite_store.aggregates("r1")).kinds)
    check((await sqlite_store.aggregates("r1")).kinds)
    assert other.execute("SELECT COUNT(*) FROM changes").fetchone() == (0,)
    other.close()


async def test_what_actions_took_is_what_their_records_say(
    state_store: StateStore, views_catch_up: CatchUp
) -> None:
    await save_lives(state_store)
    await views_catch_up()
    found = (await state_store.aggregates("r1")).efforts
    whole = efforts_of([record async for record in state_store.list_actions("r1")])
    assert found.actions == whole.actions == 40
    assert cost_of(run_record(), found, NOW + 60) == cost_of(run_record(), whole, NOW + 60)
