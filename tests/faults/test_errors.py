"""A request of the engine fails once, anywhere: the run goes on in the same process, and tasks see nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from bench.faults.ports import READS, WRITES
from bench.faults.strikes import When
from tests.faults import program
from tests.faults.ports import FaultyPlatform, NthEffect
from tests.faults.runs import RUN_ID, check_result, start

from upwell._local.sqlite import SqliteStore

Case = tuple[dict[str, tuple[str, ...]], When]
CASES: dict[str, Case] = {
    "before a write": (WRITES, "before"),
    "after a write": (WRITES, "after"),
    "a read": (READS, "before"),
}


async def run_with(root: Path, effects: NthEffect) -> None:
    """Run the program, and see that no task was blamed for what the engine's surroundings did."""
    store = SqliteStore(root / "state.db")
    program.executed.clear()
    try:
        platform = FaultyPlatform(store, root, effects)
        await check_result(await start(platform), platform)
        failed = {a.spec.task.name: a.failures async for a in store.list_actions(RUN_ID) if a.failures}
        assert failed in ({}, {program.flaky.name: 1})
    finally:
        store.close()


@pytest.mark.parametrize("case", CASES)
async def test_an_error_of_any_request_is_survived(tmp_path: Path, case: str) -> None:
    counted, when = CASES[case]
    whole = NthEffect(counted=counted)
    await run_with(tmp_path / "whole", whole)
    once = Counter(program.executed)
    for at, request in enumerate(whole.seen):
        effects = NthEffect(at, when, how="throw", counted=counted)
        await asyncio.wait_for(run_with(tmp_path / str(at), effects), 20)
        repeated = Counter(program.executed) - once
        assert repeated.total() <= 2, f"{request} failed, and {repeated} were repeated"
