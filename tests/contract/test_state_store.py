"""What every `StateStore` does with action records, journals and the cache: SQLite, and DynamoDB in moto.

The tests use the fixture `state_store` only, so that another host can import them and give its own.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.contract.store_samples import (
    NOW,
    PARENT,
    cache_entry,
    completed,
    ended,
    running,
    scheduled,
    succeeded,
    traced,
    value,
)

from upwell._core.journal import Entry, sort_key
from upwell._core.limits import KIB
from upwell._core.model import ActionKey, ErrorInfo, Outcome, Status
from upwell._core.ports import StateStore

# --- actions --------------------------------------------------------------------------------------------------


async def test_a_record_that_was_never_saved_is_absent(state_store: StateStore) -> None:
    assert await state_store.get(ActionKey("r1", "a1")) is None
    assert await state_store.get_many([ActionKey("r1", "a1")]) == {}


async def test_a_saved_record_is_read_back_whole(state_store: StateStore) -> None:
    record = running()
    assert await state_store.save(record, expected=None)
    assert await state_store.get(record.key) == record
    failure = ErrorInfo(code="ValueError", message="bad ünicode\n\0", traceback="at 1", worker="w")
    failed = ended(record, Outcome(status=Status.FAILED, error=failure))
    assert await state_store.save(failed, expected=1)
    assert await state_store.get(record.key) == failed


async def test_a_save_that_expects_no_record_loses_to_an_existing_one(state_store: StateStore) -> None:
    record = running()
    assert await state_store.save(record, expected=None)
    late = replace(record, generation=2)
    assert not await state_store.save(late, expected=None)
    assert await state_store.get(record.key) == record


async def test_of_two_saves_over_the_same_version_the_second_loses(state_store: StateStore) -> None:
    record = running()
    await state_store.save(record, expected=None)
    first = ended(record, succeeded("1"))
    second = ended(record, succeeded("2"))
    assert await state_store.save(first, expected=1)
    assert not await state_store.save(second, expected=1)
    assert await state_store.get(record.key) == first


async def test_a_save_over_a_version_of_a_record_that_is_absent_loses(state_store: StateStore) -> None:
    record = running(version=4)
    assert not await state_store.save(record, expected=3)
    assert await state_store.get(record.key) is None


async def test_equal_action_ids_of_two_runs_are_two_records(state_store: StateStore) -> None:
    ours, theirs = running(run_id="r1"), running(run_id="r2")
    assert await state_store.save(ours, expected=None)
    assert await state_store.save(theirs, expected=None)
    assert await state_store.get(ours.key) == ours
    assert await state_store.get(theirs.key) == theirs


async def test_any_number_of_keys_is_read_at_once_missing_and_repeated_ones_too(
    state_store: StateStore,
) -> None:
    records = [running(f"a{i}") for i in range(130)] + [running("b", run_id="r2")]
    for record in records:
        await state_store.save(record, expected=None)
    keys = [record.key for record in records]
    asked = [*keys, *keys[:7], ActionKey("r1", "absent"), ActionKey("absent", "a1")]
    assert await state_store.get_many(asked) == {record.key: record for record in records}
    assert await state_store.get_many([]) == {}


async def test_all_records_of_a_run_are_listed_once(state_store: StateStore) -> None:
    records = {f"a{i}": running(f"a{i}") for i in range(60)}
    for record in records.values():
        await state_store.save(record, expected=None)
    await state_store.save(running("other", run_id="r2"), expected=None)
    await state_store.save(running("other", run_id="r1#2"), expected=None)
    listed = [record async for record in state_store.list_actions("r1")]
    assert len(listed) == 60
    assert {record.spec.action_id: record for record in listed} == records
    assert [record async for record in state_store.list_actions("none")] == []


async def test_a_listing_goes_past_a_page_of_a_megabyte(state_store: StateStore) -> None:
    # Of DynamoDB's 16 partitions, at least one gets four of 49 records: more than 1 MB.
    for i in range(49):
        record = replace(running(f"a{i}"), outcome=succeeded("x" * 300 * KIB))
        await state_store.save(record, expected=None)
    listed = {record.spec.action_id async for record in state_store.list_actions("r1")}
    assert listed == {f"a{i}" for i in range(49)}


async def test_a_record_may_have_nearly_400_kilobytes(state_store: StateStore) -> None:
    record = running()
    large = replace(record, outcome=succeeded("x" * 398_000))
    assert await state_store.save(large, expected=None)
    assert await state_store.get(record.key) == large


# --- journals -------------------------------------------------------------------------------------------------


async def test_an_empty_shard_has_no_entries(state_store: StateStore) -> None:
    await state_store.append(PARENT, 0, [])
    assert await state_store.read(PARENT, 0) == []


async def test_entries_of_a_shard_are_read_in_the_order_of_their_time(state_store: StateStore) -> None:
    entries: list[Entry] = [
        scheduled(NOW, "c1", "c2"),
        completed(NOW + 1, "c1"),
        traced(NOW + 2, "t1"),
        completed(NOW + 3, "c2"),
    ]
    await state_store.append(PARENT, 0, entries[2:])
    await state_store.append(PARENT, 0, entries[:2])
    items = await state_store.read(PARENT, 0)
    assert [item.entry for item in items] == entries
    assert [item.sk for item in items] == [sort_key(entry) for entry in entries]


async def test_a_read_after_a_sort_key_leaves_out_that_entry_and_what_is_before(
    state_store: StateStore,
) -> None:
    entries = [completed(NOW + i, f"c{i}") for i in range(4)]
    await state_store.append(PARENT, 0, entries)
    items = await state_store.read(PARENT, 0, sort_key(entries[1]))
    assert [item.entry for item in items] == entries[2:]
    assert await state_store.read(PARENT, 0, sort_key(entries[3])) == []


async def test_repeating_an_entry_changes_nothing(state_store: StateStore) -> None:
    entry = completed(NOW, "c1")
    await state_store.append(PARENT, 0, [entry])
    await state_store.append(PARENT, 0, [entry, entry])
    assert [item.entry for item in await state_store.read(PARENT, 0)] == [entry]


async def test_shards_parents_and_runs_have_journals_of_their_own(state_store: StateStore) -> None:
    places = [(PARENT, 0), (PARENT, 1), (PARENT, 10), (ActionKey("r1", "a1"), 0), (ActionKey("r2", "a0"), 0)]
    for number, (parent, shard) in enumerate(places):
        await state_store.append(parent, shard, [completed(NOW, f"c{number}")])
    for number, (parent, shard) in enumerate(places):
        assert [item.entry for item in await state_store.read(parent, shard)] == [completed(NOW, f"c{number}")]


async def test_more_entries_than_a_batch_takes_are_all_there(state_store: StateStore) -> None:
    entries = [completed(NOW + i / 1000, f"c{i}") for i in range(130)]
    await state_store.append(PARENT, 0, entries)
    assert [item.entry for item in await state_store.read(PARENT, 0)] == entries


async def test_a_read_goes_past_a_page_of_a_megabyte(state_store: StateStore) -> None:
    entries = [completed(NOW + i, f"c{i}", succeeded("x" * 8 * KIB)) for i in range(200)]
    await state_store.append(PARENT, 0, entries)
    assert [item.entry for item in await state_store.read(PARENT, 0)] == entries


# --- cache ----------------------------------------------------------------------------------------------------


async def test_cached_entries_are_found_by_key(state_store: StateStore) -> None:
    entries = {f"k{i}": cache_entry(f"k{i}", str(i)) for i in range(130)}
    await state_store.put_cached(list(entries.values()))
    assert await state_store.get_cached([*entries, "k1", "absent"]) == entries


async def test_of_two_entries_under_a_key_the_last_one_is_kept(state_store: StateStore) -> None:
    await state_store.put_cached([cache_entry("k", "1"), cache_entry("k", "2")])
    assert (await state_store.get_cached(["k"]))["k"].output == value("2")
    await state_store.put_cached([cache_entry("k", "3")])
    assert (await state_store.get_cached(["k"]))["k"].output == value("3")


@pytest.mark.parametrize("count", [0, 1])
async def test_asking_for_nothing_and_keeping_nothing_is_fine(state_store: StateStore, count: int) -> None:
    await state_store.put_cached([cache_entry("k")] * count)
    assert await state_store.get_cached([]) == {}
