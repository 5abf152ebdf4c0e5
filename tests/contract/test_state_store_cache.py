"""Lists of kept results: whose, how old, where from; and their removal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.contract.store_samples import NOW, cache_entry, ended, running

from upwell._core.key_parts import KeyParts
from upwell._core.model import ActionKey, ActionRecord, CacheEntry, CacheSummary, Payload
from upwell._core.ports import StateStore


def entry(key: str, *, task: str = "env.square", age_s: float = 0.0, n: int = 1) -> CacheEntry:
    parts = KeyParts(code="mfrggzdfmztwq2lk", version="4f2a", inputs={"n": f"{n:08x}"})
    return replace(
        cache_entry(key),
        task=task,
        parts=parts,
        created_at=NOW - age_s,
        made_by=ActionKey("r7", f"a{n}"),
        max_age_s=86_400.0,
    )


async def listed(store: StateStore, task: str | None = None, limit: int | None = None) -> list[CacheSummary]:
    return [summary async for summary in store.list_cached(task, limit=limit)]


async def test_an_entry_comes_back_with_what_its_key_was_made_of(state_store: StateStore) -> None:
    kept = entry("k", n=3)
    await state_store.put_cached([kept])
    assert await state_store.get_cached(["k"]) == {"k": kept}
    assert await listed(state_store, "env.square") == [kept.summary]


async def test_entries_of_a_task_are_listed_newest_first_and_no_others(state_store: StateStore) -> None:
    kept = [entry(f"k{n}", age_s=(n * 7) % 50, n=n) for n in range(50)]
    await state_store.put_cached([*kept, entry("other", task="env.other")])
    newest_first = sorted((each.summary for each in kept), key=lambda each: -each.created_at)
    assert await listed(state_store, "env.square") == newest_first
    assert await listed(state_store, "env.square", limit=7) == newest_first[:7]
    assert await listed(state_store, "env.unknown") == []
    since = [each async for each in state_store.list_cached("env.square", before=NOW - 25, limit=9)]
    assert since == [each for each in newest_first if each.created_at < NOW - 25][:9]


async def test_all_entries_are_listed_those_too_that_do_not_say_whose_they_are(
    state_store: StateStore,
) -> None:
    kept = [entry("k1"), entry("k2", task="env.other"), cache_entry("old")]
    await state_store.put_cached(kept)
    assert {each.key: each for each in await listed(state_store)} == {each.key: each.summary for each in kept}
    assert len(await listed(state_store, limit=2)) == 2


async def test_a_result_that_is_computed_anew_is_listed_once_with_its_new_time(state_store: StateStore) -> None:
    await state_store.put_cached([entry("k", age_s=100)])
    again = replace(entry("k", age_s=1), output=Payload(blob="cached/2c26", size_bytes=99_000))
    await state_store.put_cached([again])
    assert await listed(state_store, "env.square") == [again.summary]
    assert again.summary.blob == "cached/2c26"


async def test_dropped_entries_are_neither_found_nor_listed(state_store: StateStore) -> None:
    kept = [entry(f"k{n}", n=n) for n in range(60)]
    await state_store.put_cached(kept)
    await state_store.drop_cached([*(f"k{n}" for n in range(1, 60)), "k1", "absent"])
    await state_store.drop_cached([])
    assert [each.key for each in await listed(state_store, "env.square")] == ["k0"]
    assert list(await state_store.get_cached([f"k{n}" for n in range(60)])) == ["k0"]


@pytest.mark.parametrize("hits", [{"env.square": 3, "env.other": 1}])
async def test_a_record_keeps_how_many_calls_the_cache_answered(
    state_store: StateStore, hits: dict[str, int]
) -> None:
    parent: ActionRecord = running("a1")
    assert await state_store.save(parent, expected=None)
    done = replace(ended(parent), hits=hits)
    assert await state_store.save(done, expected=parent.version)
    assert await state_store.get(parent.key) == done
