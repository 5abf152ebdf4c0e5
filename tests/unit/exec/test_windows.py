"""A parent sends no more children than could run: the others wait in its memory, not in the queue."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.unit.core.actions import spec
from tests.unit.exec.engine import RUN_ID, engine

import upwell
from upwell._core.journal import Completed, Scheduled
from upwell._core.model import ActionKey
from upwell._exec.environment import SystemClock
from upwell._exec.windows import turn
from upwell._local.sqlite import SqliteStore

env = upwell.TaskEnvironment("windows", max_concurrency=3)
outer = upwell.TaskEnvironment("windows-outer", depends_on=[env])
N = 30
holders_may_end = asyncio.Event()


@env.task
async def bounded(n: int) -> int:
    return n


@env.task(max_concurrency=1)
async def single(n: int) -> int:
    return n


@outer.task(cache=upwell.Cache("auto", serialize=True))
async def square(n: int) -> int:
    return n * n


@outer.task
async def calls_bounded(n: int) -> int:
    return sum(await upwell.map(bounded, range(n)))


@outer.task
def calls_single(n: int) -> int:
    return sum(upwell.map(single, range(n), return_exceptions=False))


@outer.task
async def calls_equal(n: int) -> int:
    return sum(await asyncio.gather(*(square(3) for _ in range(n))))


@outer.task(max_concurrency=1, timeout=upwell.Timeout(max_queued_time=0.2))
async def impatient(proceed: bool) -> None:
    if not proceed:
        await holders_may_end.wait()


@outer.task
async def calls_impatient() -> tuple[str, bool]:
    """Return how the second call ended, and whether the first one, which held the place, was at work then."""
    first, second = asyncio.create_task(impatient(False)), asyncio.create_task(impatient(True))
    error = (await asyncio.gather(second, return_exceptions=True))[0]
    at_work = not first.done()
    holders_may_end.set()
    await first
    await impatient(True)  # the place, and the room in the window, are free
    return type(error).__name__, at_work


async def most_open(store: SqliteStore) -> int:
    """Return how many children the root had sent and not heard of at most, by its journal."""
    entries = [item.entry for item in await store.read(ActionKey(RUN_ID, "a0"), 0)]
    entries.sort(key=lambda entry: entry.at)
    is_open, most = 0, 0
    for entry in entries:
        if isinstance(entry, Scheduled):
            is_open += len(entry.children)
        elif isinstance(entry, Completed):
            is_open -= 1
        most = max(most, is_open)
    assert is_open == 0
    return most


@pytest.mark.parametrize(("task", "places"), [(calls_bounded, 3), (calls_single, 1)])
async def test_no_more_children_are_sent_than_there_are_places(
    tmp_path: Path, task: upwell.Task[[int], int], places: int
) -> None:
    async with engine(tmp_path) as e:
        assert (await e.run(task, N)).value == sum(range(N))
        assert await most_open(e.store) == places


async def test_of_equal_serialized_calls_one_is_sent_and_the_others_find_its_result(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        assert (await e.run(calls_equal, N)).value == 9 * N
        squares = await e.actions_of(square)
        assert len(squares) == N
        (computed,) = [action for action in squares if action.attempts]
        assert {action.cached_from for action in squares if action is not computed} == {computed.key}


async def test_a_call_that_waits_in_its_parents_memory_ends_at_its_bound(tmp_path: Path) -> None:
    global holders_may_end  # an event belongs to the loop of one test
    holders_may_end = asyncio.Event()
    async with engine(tmp_path) as e:
        assert (await e.run(calls_impatient)).value == ("MaxQueuedTimeExceededError", True)
        statuses = sorted(action.status.value for action in await e.actions_of(impatient))
        assert statuses == ["SUCCEEDED", "SUCCEEDED", "TIMED_OUT"]


@pytest.mark.parametrize("is_granted", [False, True])
async def test_a_call_that_is_cancelled_while_it_waits_for_room_takes_none(is_granted: bool) -> None:
    window, clock = asyncio.Semaphore(1), SystemClock()
    child = spec(max_queued_s=1e6, queued_at=clock.now())

    async def enter() -> None:
        async with turn(window, child, clock):
            raise AssertionError("it was cancelled")

    await window.acquire()
    waiting = asyncio.create_task(enter())
    for _ in range(5):  # until it waits
        await asyncio.sleep(0)
    if is_granted:
        window.release()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    if not is_granted:
        window.release()
    await asyncio.wait_for(window.acquire(), 5)
