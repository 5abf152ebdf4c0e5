"""Runs that would grow without an end are stopped with an error that names the task."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.unit.exec.engine import engine

import upwell
from upwell import errors
from upwell._author.task import Task
from upwell._core.model import Status
from upwell.testing.flows import FlowResult

env = upwell.TaskEnvironment("runaway")


@env.task(retries=2)
async def deeper(level: int) -> int:
    return await deeper(level + 1)


@env.task(retries=2)
async def doubling(path: str) -> int:
    return sum(await asyncio.gather(doubling(path + "0"), doubling(path + "1")))


@env.task
async def leaf(n: int) -> int:
    return n


@env.task
async def wide(n: int) -> int:
    return sum(await asyncio.gather(*[leaf(i) for i in range(n)]))


@env.task
async def stubborn() -> int:
    """Calls on and on, whatever it is told."""
    refused = 0
    for n in range(300):
        try:
            await leaf(n)
        except errors.RunawayRunError:
            refused += 1
    return refused


def depths(result: FlowResult) -> list[int]:
    return [action.spec.depth for action in result.actions]


async def test_a_task_that_calls_itself_is_stopped_at_the_deepest_level(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        result = await e.run(deeper, 0, max_depth=6)
        assert isinstance(result.error, errors.RunawayRunError)
        assert "runaway.deeper calls runaway.deeper on level 7" in str(result.error)
        assert sorted(depths(result)) == list(range(7))
        assert {a.status for a in result.actions} == {Status.FAILED}
        assert {a.failures for a in result.actions} == {1}  # nobody tries that again


async def test_a_tree_that_doubles_is_stopped_soon_after_the_bound(tmp_path: Path) -> None:
    async with engine(tmp_path, max_actions=200) as e:
        result = await e.run(doubling, "")
        assert isinstance(result.error, errors.RunawayRunError)
        assert "are calls of runaway.doubling" in str(result.error)
        assert 200 <= len(result.actions) < 1000
        assert all(action.status.is_terminal for action in result.actions)


async def test_a_parent_counts_its_own_children_exactly(tmp_path: Path) -> None:
    async with engine(tmp_path, max_actions=1_000_000) as e:
        assert (await e.run(wide, 19, max_actions=20)).unwrap() == sum(range(19))


async def test_one_more_child_than_fits_is_refused(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        result = await e.run(wide, 20, max_actions=20)
        assert isinstance(result.error, errors.RunawayRunError)
        assert "was about to call runaway.leaf" in str(result.error)


async def test_what_the_run_is_full_of_is_counted_without_what_is_refused(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        result = await e.run(wide, 100, max_actions=20)
        assert "has 20 actions and may have 20 (max_actions): 19 of them are calls of runaway.leaf" in str(
            result.error
        )


@env.task
async def streams(n: int) -> int:
    return len([result async for result in upwell.map(leaf, range(n), batch=1, return_exceptions=True)])


@env.task
def loops(n: int) -> int:
    return len(list(upwell.map(leaf, range(n), batch=1)))


@pytest.mark.parametrize("task", [streams, loops])
async def test_a_map_that_gives_failures_as_values_raises_this_one(
    tmp_path: Path, task: Task[..., int]
) -> None:
    async with engine(tmp_path) as e:
        result = await e.run(task, 50, max_actions=20)
        assert isinstance(result.error, errors.RunawayRunError)
        assert "was about to call runaway.leaf" in str(result.error)


async def test_one_that_does_not_listen_is_refused_every_further_call(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        result = await e.run(stubborn, max_actions=100)
        assert result.unwrap() == 300 - 99
        assert len(result.actions) == 100


async def test_the_bounds_of_a_deployment_hold_for_runs_that_have_none(tmp_path: Path) -> None:
    async with engine(tmp_path, max_depth=2) as e:
        result = await e.run(deeper, 0)
        assert "on level 3" in str(result.error)


async def test_children_of_an_earlier_attempt_count_once(tmp_path: Path) -> None:
    @env.task(retries=1)
    async def again() -> int:
        done = await asyncio.gather(*[leaf(i) for i in range(9)])
        if upwell.ctx().attempt == 1:
            raise ValueError("once")
        return sum(done)

    async with engine(tmp_path) as e:
        assert (await e.run(again, max_actions=10)).unwrap() == 36


@pytest.mark.parametrize("bound", ["max_actions", "max_depth"])
async def test_a_bound_travels_to_every_action(tmp_path: Path, bound: str) -> None:
    async with engine(tmp_path) as e:
        result = await e.run(wide, 1, **{bound: 77})
        assert {getattr(action.spec.run, bound) for action in result.actions} == {77}
