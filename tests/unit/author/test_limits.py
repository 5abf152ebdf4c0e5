"""`max_concurrency` of tasks and environments, as executors are told of it."""

from __future__ import annotations

from typing import Any

import pytest

from upwell._author.cache import Cache
from upwell._author.environment import TaskEnvironment
from upwell._author.task import Task
from upwell._core.model import Limit, TaskSpec

free = TaskEnvironment("free")
narrow = TaskEnvironment("narrow", max_concurrency=4)


@free.task
async def plain(n: int) -> int:
    return n


@free.task(max_concurrency=2)
async def limited(n: int) -> int:
    return n


@narrow.task
async def narrowed(n: int) -> int:
    return n


@narrow.task(max_concurrency=1)
def doubly(n: int) -> int:
    return n


def spec_of(task: Task[..., Any]) -> TaskSpec:
    return task.spec(task.interface.encode_inputs({"n": 1}))


def test_a_task_has_the_limits_of_its_own_and_of_its_environment() -> None:
    mine = Limit(scope="task:free.limited", places=2)
    whole = Limit(scope="env:narrow", places=4)
    assert spec_of(plain).limits == ()
    assert spec_of(limited).limits == (mine,)
    assert spec_of(narrowed).limits == (whole,)
    assert spec_of(doubly).limits == (Limit(scope="task:narrow.doubly", places=1), whole)
    assert spec_of(limited.override(max_concurrency=5)).limits == (Limit(scope=mine.scope, places=5),)


def test_a_clone_has_the_limit_under_its_own_name() -> None:
    clone = narrow.clone_with("narrow-too")

    @clone.task
    async def cloned(n: int) -> int:
        return n

    assert spec_of(cloned).limits == (Limit(scope="env:narrow-too", places=4),)
    assert "max_concurrency=4" in repr(clone)


@pytest.mark.parametrize(
    ("value", "error"),
    [(0, ValueError), (-1, ValueError), (1001, ValueError), (True, TypeError), ("2", TypeError)],
)
def test_what_is_no_number_of_places_is_refused(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="max_concurrency="):
        TaskEnvironment("refused", max_concurrency=value)
    with pytest.raises(error, match=r"@task of free\.plain: max_concurrency="):
        free.task(max_concurrency=value)(plain.func)


def test_a_serialized_cache_is_told_to_executors() -> None:
    task = plain.override(cache=Cache("auto", serialize=True, max_age=60))
    assert (spec_of(task).cache_serialize, spec_of(task).cache_max_age_s) == (True, 60.0)
    assert not spec_of(plain.override(cache="auto")).cache_serialize
