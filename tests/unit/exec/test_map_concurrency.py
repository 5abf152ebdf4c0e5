"""`map(concurrency=)` on the engine: how many children there are at once, also when it ends early."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from pathlib import Path

import pytest
from tests.unit.exec.engine import Engine, engine, until

import upwell
from upwell import errors
from upwell._author.task import Task
from upwell._core.model import Status

env = upwell.TaskEnvironment("map-concurrency")
N, AT_ONCE = 12, 3
inside, most, started = Counter[str](), Counter[str](), Counter[str]()
gate = threading.Event()


@pytest.fixture(autouse=True)
def _nobody_inside() -> None:
    for counter in (inside, most, started):
        counter.clear()
    gate.clear()


def enter() -> None:
    started["child"] += 1
    inside["child"] += 1
    most["child"] = max(most["child"], inside["child"])


@env.task
async def child(n: int) -> int:
    enter()
    for _ in range(20):
        await asyncio.sleep(0)  # so that others may come in, if they are let
    inside["child"] -= 1
    return n


@env.task
async def waits_or_fails(n: int) -> int:
    enter()
    if n == 1:
        raise ValueError("number one")
    await asyncio.to_thread(gate.wait, 20)
    return n


@env.task
async def awaited(n: int) -> int:
    return sum(await upwell.map(child, range(n), concurrency=AT_ONCE, batch=1))


@env.task
async def streamed(n: int) -> int:
    return sum(
        [x async for x in upwell.map(child, range(n), concurrency=AT_ONCE, batch=1, return_exceptions=False)]
    )


@env.task
def pumped(n: int) -> int:
    return sum(upwell.map(child, range(n), concurrency=AT_ONCE, batch=1, return_exceptions=False))


@env.task
async def fails(n: int) -> int:
    return sum(await upwell.map(waits_or_fails, range(n), concurrency=AT_ONCE, batch=1))


@env.task
def fails_in_sync(n: int) -> int:
    return sum(upwell.map(waits_or_fails, range(n), concurrency=AT_ONCE, batch=1, return_exceptions=False))


@env.task
async def cancelled(n: int) -> str:
    mapped = asyncio.ensure_future(_collect(n))
    while started["child"] < AT_ONCE:  # noqa: ASYNC110  # children that run on this loop count it
        await asyncio.sleep(0)
    mapped.cancel()
    try:
        await mapped
    except asyncio.CancelledError:
        return "cancelled"
    return "came back"


async def _collect(n: int) -> list[int]:
    return await upwell.map(waits_or_fails, range(2, n), concurrency=AT_ONCE, batch=1)


@env.task
def left_early(n: int) -> int:
    for _ in upwell.map(child, range(n), concurrency=AT_ONCE, batch=1):
        return started["child"]
    return 0


async def ends(e: Engine, task: Task[..., int]) -> Counter[Status]:
    """Return how the actions of a task ended, once all have."""

    async def all_ended() -> bool:
        return all(action.status.is_terminal for action in await e.actions_of(task))

    await until(all_ended)
    return Counter(action.status for action in await e.actions_of(task))


@pytest.mark.parametrize("task", [awaited, streamed, pumped], ids=lambda task: task.short_name)
async def test_no_more_children_than_that_at_once(tmp_path: Path, task: Task[..., int]) -> None:
    async with engine(tmp_path) as e:
        assert (await e.run(task, N)).value == sum(range(N))
        assert most["child"] == AT_ONCE
        assert await ends(e, child) == {Status.SUCCEEDED: N}


@pytest.mark.parametrize("task", [fails, fails_in_sync], ids=lambda task: task.short_name)
async def test_the_first_failure_ends_those_under_way_and_starts_no_more(
    tmp_path: Path, task: Task[..., int]
) -> None:
    async with engine(tmp_path, heartbeat_s=0.05) as e:
        result = await e.run(task, N)
        assert isinstance(result.error, errors.RuntimeUserError)
        assert "number one" in str(result.error)
        assert await ends(e, waits_or_fails) == {Status.FAILED: 1, Status.ABORTED: AT_ONCE - 1}
        assert started["child"] <= AT_ONCE
    gate.set()


async def test_a_cancelled_map_aborts_those_under_way_and_starts_no_more(tmp_path: Path) -> None:
    async with engine(tmp_path, heartbeat_s=0.05) as e:
        assert (await e.run(cancelled, N)).value == "cancelled"
        assert await ends(e, waits_or_fails) == {Status.ABORTED: AT_ONCE}
        assert started["child"] == AT_ONCE
    gate.set()


async def test_a_loop_that_is_left_early_aborts_what_it_does_not_take(tmp_path: Path) -> None:
    async with engine(tmp_path, heartbeat_s=0.05) as e:
        result = await e.run(left_early, 1000)
        assert result.error is None
        assert started["child"] < 1000
        assert (await ends(e, child)).keys() <= {Status.SUCCEEDED, Status.ABORTED}
