"""The process dies at each effect in turn; a recovery gives the result, and what was done is not done again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from bench.faults.strikes import When
from tests.faults import program
from tests.faults.ports import FaultyPlatform, NthEffect
from tests.faults.runs import check_result, done, recover, start

from upwell._local.sqlite import SqliteStore


async def effects_of_a_run(root: Path) -> list[str]:
    store = SqliteStore(root / "state.db")
    platform = FaultyPlatform(store, root, NthEffect())
    await check_result(await start(platform), platform)
    store.close()
    return platform.effects.seen


async def die_and_recover(root: Path, *deaths: tuple[int, When]) -> None:
    """Die at an effect of the first process, then at one of the second, and so on; the last one lives."""
    store = SqliteStore(root / "state.db")
    try:
        before: set[str] = set()
        for generation, (at, when) in enumerate([*deaths, (None, "before")], start=1):
            program.executed.clear()
            effects = NthEffect(at, when)
            platform = FaultyPlatform(store, root, effects)
            ended = await (start(platform) if generation == 1 else recover(platform, store))
            repeated = before.intersection(program.executed)
            assert not repeated, f"done again after dying at {deaths}"
            before = await done(store)
        await check_result(ended, platform)
    finally:
        store.close()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_kill_at_any_effect_loses_and_repeats_nothing(tmp_path: Path, when: When) -> None:
    effects = await effects_of_a_run(tmp_path / "whole")
    assert len(effects) >= program.EFFECTS_AT_LEAST
    for at in range(len(effects)):
        await asyncio.wait_for(die_and_recover(tmp_path / str(at), (at, when)), 20)


async def test_a_recovery_may_be_killed_as_well(tmp_path: Path) -> None:
    for at in range(2, program.EFFECTS_AT_LEAST, 3):
        for again in range(0, 9, 4):
            root = tmp_path / f"{at}-{again}"
            await asyncio.wait_for(die_and_recover(root, (at, "before"), (again, "after")), 20)
