"""A parent sends no more children than could run: the others wait in its memory, not in the queue."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.unit.exec.engine import RUN_ID, engine

import upwell
from upwell._core.journal import Completed, Scheduled
from upwell._core.model import ActionKey
from upwell._local.sqlite import SqliteStore

env = upwell.TaskEnvironment("windows", max_concurrency=3)
outer = upwell.TaskEnvironment("windows-outer", depends_on=[env])
N = 30


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
