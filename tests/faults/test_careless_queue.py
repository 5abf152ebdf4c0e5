"""A queue that repeats, delays and reorders messages changes nothing but the time that a run takes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from bench.faults.strikes import Plan
from tests.faults import program
from tests.faults.ports import FaultyPlatform, NthEffect
from tests.faults.runs import check_result, start

from upwell._local.sqlite import SqliteStore


@pytest.mark.parametrize("seed", range(8))
async def test_repeated_and_reordered_messages_run_each_attempt_once(tmp_path: Path, seed: int) -> None:
    store = SqliteStore(tmp_path / "state.db")
    program.executed.clear()
    platform = FaultyPlatform(store, tmp_path, NthEffect())
    plan = Plan(duplicates=0.6, delays=0.6)
    platform.make_messy(plan, late_s=0.02, seed=seed)
    await check_result(await start(platform), platform)
    store.close()
    times = Counter(Counter(program.executed).values())
    assert plan.happened["message duplicated"] > 0
    assert times == {1: 6, 2: 1}, "only the flaky task runs twice"
