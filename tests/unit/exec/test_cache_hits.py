"""Results from the cache: found by the parent, journaled in groups, shown with who made them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.exec.engine import RUN_ID, Engine, engine

import upwell
from upwell._author.task import Task
from upwell._client.submit import next_generation
from upwell._core.journal import Hits
from upwell._core.model import ActionKey, ActionRecord, CacheEntry, Payload, Status
from upwell._exec.control import find_known, inputs_of, list_known
from upwell._exec.payloads import unpack
from upwell._local.sqlite import SqliteStore

N = 300
env = upwell.TaskEnvironment("cache-hits")
computed: list[Any] = []
failures: list[int] = []
meanwhile: list[Callable[[], Awaitable[None]]] = []


@pytest.fixture(autouse=True)
def _nothing_computed() -> None:
    computed.clear()
    failures.clear()


@env.task(cache="auto")
async def square(n: int) -> int:
    computed.append(n)
    return n * n


@env.task(cache="auto")
async def grow(text: str, times: int) -> str:
    computed.append(times)
    return text * times


@env.task(cache="auto", retries=1)
async def retried(n: int) -> int:
    computed.append(n)
    if len(computed) == 1:
        await meanwhile[0]()
        raise ValueError("the first attempt fails")
    return n


@env.task
async def gathered(n: int) -> int:
    return sum(await asyncio.gather(*(square(each) for each in range(n))))


@env.task
async def mapped(n: int) -> int:
    results = upwell.map.aio(square, range(n), return_exceptions=False, batch="auto")
    return sum([each async for each in results])


@env.task
async def large(text: str) -> int:
    return len(await grow(text, 5))


@env.task
async def twice(n: int) -> int:
    first = await gathered(n)
    return first + sum(await asyncio.gather(*(square(each) for each in range(n))))


@env.task
async def fails_at_first(n: int) -> int:
    total = await gathered.forward(n)
    computed.append("again") if failures else failures.append(n)
    if "again" not in computed:
        raise ValueError("the first time it fails")
    return total


async def run(e: Engine, task: Task[..., Any], *args: Any, name: str, **options: Any) -> list[ActionRecord]:
    result = await e.run(task, *args, name=name, **options)
    result.unwrap()
    return result.actions


def hits_of(actions: list[ActionRecord]) -> list[ActionRecord]:
    return [action for action in actions if action.cached_from is not None]


@pytest.mark.parametrize("task", [gathered, mapped])
async def test_calls_with_kept_results_are_answered_in_the_parent(tmp_path: Path, task: Task[..., Any]) -> None:
    async with engine(tmp_path) as e:
        before = await run(e, gathered, N, name="before")
        made = {action.spec.inputs.text: action.key for action in before}
        computed.clear()
        hits = hits_of(await run(e, task, N, name="after"))
        assert computed == []
        assert sum(max(1, hit.spec.items) for hit in hits) == N
        assert all(hit.status is Status.SUCCEEDED and not hit.attempts for hit in hits)
        single = [hit for hit in hits if hit.spec.items <= 1]
        assert all(hit.cached_from == made[hit.spec.inputs.text] for hit in single)
        assert all(hit.cached_at is not None and hit.cached_at < hit.created_at for hit in hits)
        records = [record async for record in e.store.list_actions("after")]
        assert [record.spec.action_id for record in records] == ["a0"]
        assert records[0].hits == {square.name: len(hits)}
        assert (await e.store.view("after")).counts[square.name] == {"SUCCEEDED": len(hits)}


async def test_hits_at_the_same_time_share_entries_of_the_journal(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        await run(e, gathered, N, name="before")
        await run(e, gathered, N, name="after")
        entries = [
            item.entry for shard in range(9) for item in await e.store.read(ActionKey("after", "a0"), shard)
        ]
        assert all(isinstance(entry, Hits) for entry in entries)
        assert len(entries) <= N / 50


async def test_a_result_stays_where_it_is_and_one_whose_data_is_gone_is_computed_anew(tmp_path: Path) -> None:
    text = "x" * 4000
    async with engine(tmp_path) as e:
        (made,) = [a for a in await run(e, large, text, name="before") if a.spec.task.name == grow.name]
        (hit,) = hits_of(await run(e, large, text, name="after"))
        assert made.outcome is not None
        assert made.outcome.output is not None
        assert hit.outcome == made.outcome
        assert made.outcome.output.blob is not None
        known = await find_known(e.store, "after", hit.spec.action_id)
        assert known == hit
        blobs = e.platform.kernel.ports.blobs
        inputs = await unpack(blobs, await inputs_of(e.store, hit.spec, hit))
        assert inputs == await unpack(blobs, made.spec.inputs)
        (tmp_path / "blobs" / made.outcome.output.blob).unlink()
        assert hits_of(await run(e, large, text, name="gone")) == []
        assert computed == [5, 5]


async def test_a_root_action_is_answered_from_the_cache_and_runs_nothing(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        (made,) = await run(e, square, 7, name="before")
        (root,) = await run(e, square, 7, name="after")
        assert computed == [7]
        assert (root.cached_from, root.status) == (made.key, Status.SUCCEEDED)
        (anew,) = await run(e, square, 7, name="anew", overwrite_cache=True)
        assert (anew.cached_from, computed) == (None, [7, 7])


async def test_a_root_that_was_begun_goes_on_whatever_is_kept_meanwhile(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        key = retried.spec(retried.interface.encode_inputs({"n": 5})).cache_key
        assert key is not None
        output, maker = Payload(text="999", size_bytes=3), ActionKey("other", "a0")
        entry = CacheEntry(key=key, output=output, made_by=maker, created_at=time.time())
        meanwhile[:] = [lambda: e.store.put_cached([entry])]
        assert (await e.run(retried, 5)).value == 5
        assert computed == [5, 5]


async def test_a_replay_gets_a_hit_from_its_journal_whatever_became_of_the_entry(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        await run(e, gathered, 3, name="before")
        failed = await e.run(fails_at_first, 3)
        assert (failed.error is not None, sorted(computed)) == (True, [0, 1, 2])
        await e.store.drop_cached([summary.key async for summary in e.store.list_cached(square.name)])
        recovered = await e.platform.run_to_end(next_generation(failed.run, time.time()))
        assert recovered.status is Status.SUCCEEDED
        assert computed[3:] == ["again"]
        after = [action async for action in list_known(e.store, RUN_ID)]
        assert {hit.key for hit in hits_of(after)} == {hit.key for hit in hits_of(failed.actions)}


async def test_the_description_of_a_tasks_code_is_kept_once(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        await run(e, twice, 5, name="before")
        (document,) = (tmp_path / "blobs" / "versions").iterdir()
        assert document.read_text() == square.code_document.dump()
        (summary, *_) = [each async for each in e.store.list_cached(square.name)]
        assert isinstance(e.store, SqliteStore)
        assert summary.parts is not None
        assert (summary.parts.code, summary.parts.how) == (square.code_document.digest, "auto")
        assert set(summary.parts.inputs) == {"n"}
        assert document.stem == summary.parts.code
