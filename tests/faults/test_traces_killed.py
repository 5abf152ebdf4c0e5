"""The process dies at each write of an action with many traces: what is repeated, and what never is."""

from __future__ import annotations

import asyncio
import time
from itertools import count
from pathlib import Path

import pytest
from bench.faults.strikes import When
from tests.faults.ports import FaultyPlatform, NthEffect

import upwell
from upwell._client.options import RunOptions
from upwell._client.submit import new_run, next_generation
from upwell._core.journal import Journal
from upwell._core.limits import TRACE_GROUP_ITEMS
from upwell._core.model import ROOT_ID, ActionKey, RunRecord, Status
from upwell._exec import recorder
from upwell._exec.payloads import unpack
from upwell._exec.replay import read_journal
from upwell._local.sqlite import SqliteStore

RUN_ID = "run"
N = 250
env = upwell.TaskEnvironment("traces")
executed: list[str] = []
draws = count()


@upwell.trace
async def draw(n: int) -> int:
    """Return another number each time that it runs, as a clock or a random generator does."""
    action = upwell.ctx().action
    assert action is not None
    executed.append(action.name)
    return next(draws)


@env.task
async def echo(numbers: list[int]) -> list[int]:
    return numbers


@env.task
async def main() -> list[object]:
    first = [await draw(n) for n in range(N)]
    told = await echo(first)
    last = await draw(N)
    return [first == told, last]


@pytest.fixture(autouse=True)
def bursts(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, too, traces in a row come in a burst."""
    monkeypatch.setattr(recorder, "BURST_S", 3600.0)


async def submitted(platform: FaultyPlatform) -> RunRecord:
    encoded = main.interface.encode_inputs({})
    blobs, options = platform.kernel.ports.blobs, RunOptions(strict=True)
    return await new_run(blobs, main, encoded, options, run_id=RUN_ID, bundle=None, now=time.time())


async def recorded(store: SqliteStore) -> set[str]:
    journal = Journal(1)
    await read_journal(store, ActionKey(RUN_ID, ROOT_ID), journal)
    return set(journal.traces)


async def check(run: RunRecord | None, platform: FaultyPlatform) -> None:
    assert run is not None
    assert run.outcome is not None
    assert run.status is Status.SUCCEEDED, run.outcome.error
    assert run.outcome.output is not None
    data = await unpack(platform.kernel.ports.blobs, run.outcome.output)
    same, _ = main.interface.decode_output(data)
    assert same, "a child was sent numbers that were drawn again"


async def effects_of_a_run(root: Path) -> list[str]:
    store = SqliteStore(root / "state.db")
    platform = FaultyPlatform(store, root, NthEffect())
    await check(await platform.run_until_dead(await submitted(platform)), platform)
    store.close()
    return platform.effects.seen


async def die_and_recover(root: Path, at: int, when: When) -> None:
    store = SqliteStore(root / "state.db")
    try:
        executed.clear()
        platform = FaultyPlatform(store, root, NthEffect(at, when))
        run = await submitted(platform)
        if await platform.run_until_dead(run) is not None:
            return  # it died after the end
        kept, ran = await recorded(store), list(executed)
        assert set(ran[: len(kept)]) == kept, "traces are kept in the order in which they ran"
        assert len(ran) - len(kept) <= TRACE_GROUP_ITEMS
        executed.clear()
        platform = FaultyPlatform(store, root, NthEffect())
        earlier = await store.get_run(RUN_ID)
        assert earlier is not None
        if earlier.status is not Status.SUCCEEDED:
            earlier = await platform.run_until_dead(next_generation(earlier, time.time()))
        await check(earlier, platform)
        assert not kept.intersection(executed), "a recorded trace ran again"
    finally:
        store.close()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_kill_repeats_at_most_one_group_of_traces(tmp_path: Path, when: When) -> None:
    effects = await effects_of_a_run(tmp_path / "whole")
    assert effects.count("journal traced") == 5  # the first one, three groups, the last one
    for at in range(len(effects)):
        await asyncio.wait_for(die_and_recover(tmp_path / str(at), at, when), 20)


async def test_a_child_is_sent_after_the_traces_before_it_are_kept(tmp_path: Path) -> None:
    effects = await effects_of_a_run(tmp_path)
    written = [n for n, effect in enumerate(effects) if effect == "journal traced"]
    sends = [n for n, effect in enumerate(effects) if effect == "send"]
    assert written[3] < sends[-1] < written[4]
