"""A process dies at each effect while it holds places; the next one gets them, once they have run out."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from bench.faults.ports import Killed
from bench.faults.strikes import When
from tests.faults.ports import FaultyPlatform, NthEffect

import upwell
from upwell._client.options import RunOptions
from upwell._client.submit import new_run, next_generation
from upwell._core.holds import HOLD_MAX_S
from upwell._core.model import ActionKey, RunRecord, Status
from upwell._exec.payloads import unpack
from upwell._local.sqlite import SqliteStore
from upwell.testing.clock import SkippingClock
from upwell.testing.flows import skip_idle

env = upwell.TaskEnvironment("places-killed", max_concurrency=2)
outer = upwell.TaskEnvironment("places-killed-outer", depends_on=[env])
executed: Counter[str] = Counter()
processes: list[Counter[str]] = []
"""For each process, who is at work in it; what is left of a dead one is not to be counted in the next."""
most: Counter[str] = Counter()
RUN_ID = "run"
EFFECTS_AT_LEAST = 30
HOLD_EFFECTS = {"take hold", "release hold"}


async def work(kind: str) -> None:
    action = upwell.ctx().action
    assert action is not None
    executed[action.name] += 1
    inside = processes[-1]
    inside[kind] += 1
    most[kind] = max(most[kind], inside[kind])
    try:
        for _ in range(5):
            await asyncio.sleep(0)
    finally:
        inside[kind] -= 1


@env.task(max_concurrency=1)
async def single(n: int) -> int:
    await work("single")
    return n


@env.task(retries=1)
async def flaky(n: int) -> int:
    await work("flaky")
    if upwell.ctx().attempt == 1:
        raise ValueError("the first attempt fails")
    return n


@outer.task(cache=upwell.Cache("auto", serialize=True))
async def kept(n: int) -> int:
    await work("kept")
    return await single(n)


@outer.task
async def main() -> int:
    return sum(await asyncio.gather(single(1), single(2), flaky(3), kept(4), kept(4)))


RESULT = 14


def overlook_the_dead(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Nobody waits any more for the tasks of a process that is dead."""
    if not isinstance(context.get("exception"), Killed):
        loop.default_exception_handler(context)


async def run_in(platform: FaultyPlatform, clock: SkippingClock, run: RunRecord) -> RunRecord | None:
    """Run to the end, or to the death of the process, with time passing whenever nothing computes."""
    processes.append(Counter())
    skipper = asyncio.create_task(skip_idle(clock, lambda: platform.is_idle))
    try:
        return await platform.run_until_dead(run)
    finally:
        skipper.cancel()
        with suppress(asyncio.CancelledError):
            await skipper


async def die_and_recover(root: Path, at: int | None, when: When = "before") -> list[str]:
    """Die at an effect, go on in another process, and look at what became of it all."""
    asyncio.get_running_loop().set_exception_handler(overlook_the_dead)
    store, clock = SqliteStore(root / "state.db"), SkippingClock()
    executed.clear()
    most.clear()
    try:
        effects = NthEffect(at, when)
        platform = FaultyPlatform(store, root, effects, clock=clock)
        blobs, encoded = platform.kernel.ports.blobs, main.interface.encode_inputs({})
        run = await new_run(blobs, main, encoded, RunOptions(), run_id=RUN_ID, bundle=None, now=clock.now())
        ended = await run_in(platform, clock, run)
        done = {a.spec.action_id async for a in store.list_actions(RUN_ID) if a.status is Status.SUCCEEDED}
        before = Counter({name: executed[name] for name in done})
        if ended is None:
            stored = await store.get_run(RUN_ID)
            again = FaultyPlatform(store, root, NthEffect(), clock=clock)
            ended = await run_in(again, clock, next_generation(stored or run, clock.now()))
        await check(store, platform, ended)
        assert {name: executed[name] for name in done} == before, "what was done was done again"
        clock.skip(HOLD_MAX_S)
        assert [h for h in await store.list_holds() if h.expires_at > clock.now()] == []
        return effects.seen
    finally:
        store.close()


async def check(store: SqliteStore, platform: FaultyPlatform, ended: RunRecord | None) -> None:
    assert ended is not None
    assert ended.outcome is not None
    assert ended.outcome.output is not None, ended.outcome.error
    data = await unpack(platform.kernel.ports.blobs, ended.outcome.output)
    assert main.interface.decode_output(data) == RESULT
    assert most["single"] == 1
    assert most["kept"] <= 1
    assert most["single"] + most["flaky"] <= 2
    assert (await store.get(ActionKey(RUN_ID, "a0"))) is not None


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_kill_at_any_effect_leaves_no_place_held(tmp_path: Path, when: When) -> None:
    effects = await die_and_recover(tmp_path / "whole", None)
    assert len(effects) >= EFFECTS_AT_LEAST
    assert set(effects) >= HOLD_EFFECTS
    for at in range(len(effects)):
        await asyncio.wait_for(die_and_recover(tmp_path / str(at), at, when), 30)
