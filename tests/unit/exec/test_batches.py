"""Items that travel in batches: what a replay, a retry or a crash does to them."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.unit.exec import guests
from tests.unit.exec.engine import Engine, engine, until
from tests.unit.exec.test_user_processes import processes

import upwell
from upwell._author.task import Task
from upwell._core.model import Status

env = upwell.TaskEnvironment("batches")
N, AT_ONCE = 300, 3
gate = threading.Event()
ran = Counter[int]()
inside, most = Counter[str](), Counter[str]()


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    gate.clear()
    for counter in (ran, inside, most):
        counter.clear()


@env.task
async def last_waits(x: int) -> int:
    ran[x] += 1
    if x == N - 1:
        await asyncio.to_thread(gate.wait, 20)
    return x


@env.task
async def awaits(n: int) -> list[int]:
    return await upwell.map(last_waits, range(n))


@env.task
async def streams(n: int) -> list[int]:
    async def numbers() -> Any:
        for x in range(n):
            yield x

    return [x async for x in upwell.map(last_waits, numbers(), return_exceptions=False)]


@env.task
def loops(n: int) -> list[int]:
    return list(upwell.map(last_waits, iter(range(n)), return_exceptions=False))


async def is_suspended(e: Engine, task: Task[..., Any]) -> bool:
    return any(action.status is Status.SUSPENDED for action in await e.actions_of(task))


@pytest.mark.parametrize("task", [awaits, streams, loops], ids=lambda task: task.name)
async def test_a_resumed_parent_finds_its_batches_again(tmp_path: Path, task: Task[..., Any]) -> None:
    async with engine(tmp_path, suspends=True, linger_s=0.05) as e:
        running = asyncio.create_task(e.run(task, N))
        await until(lambda: is_suspended(e, task))
        gate.set()
        assert (await running).unwrap() == list(range(N))
        sizes = [action.spec.items for action in await e.actions_of(last_waits)]
        assert max(sizes) > 1
        assert sum(sizes) == N
        assert set(ran.values()) == {1}
        assert (await e.action_of(task)).warnings == ()


@env.task
async def fails_at_first(x: int) -> int:
    ran[x] += 1
    if x % 4 == 0 and ran[x] <= x // 4:
        raise ValueError(f"{x} is not ready")
    return x


@env.task(retries=3)
async def tries_again() -> list[int]:
    return await upwell.map(fails_at_first, range(10), batch=10)


async def test_a_retry_of_the_parent_repeats_the_items_that_failed_and_no_others(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        assert (await e.run(tries_again)).unwrap() == list(range(10))
        assert ran == {x: 1 + x // 4 if x % 4 == 0 else 1 for x in range(10)}
        assert [action.spec.items for action in await e.actions_of(fails_at_first)] == [10, 2, 1]


@env.task
async def counted(x: int) -> int:
    inside["items"] += 1
    most["items"] = max(most["items"], inside["items"])
    await asyncio.sleep(0)
    inside["items"] -= 1
    return x


@env.task
async def few_at_once(n: int) -> int:
    return sum(await upwell.map(counted, range(n), concurrency=AT_ONCE))


async def test_concurrency_counts_items(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        assert (await e.run(few_at_once, N)).unwrap() == sum(range(N))
        assert 1 <= most["items"] <= AT_ONCE
        assert max(action.spec.items for action in await e.actions_of(counted)) > 1


@env.task(max_concurrency=2)
async def limited(x: int) -> int:
    return x


@env.task
async def maps_what_is_limited() -> list[int]:
    return await upwell.map(limited, range(6), batch=3)


async def test_a_task_that_is_counted_by_the_action_has_one_for_each_item(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        assert (await e.run(maps_what_is_limited)).unwrap() == list(range(6))
        assert len(await e.actions_of(limited)) == 6


async def test_an_item_that_kills_its_process_fails_alone(tmp_path: Path) -> None:
    async with engine(tmp_path, users=processes()) as e:
        expected = [str(x) if x != 5 else "ProcessDiedError" for x in range(12)]
        assert (await e.run(guests.maps_a_segfault, 12)).unwrap() == expected


async def test_a_crash_repeats_the_items_that_had_not_finished(tmp_path: Path) -> None:
    async with engine(tmp_path, users=processes()) as e:
        assert (await e.run(guests.maps_a_crash, str(tmp_path))).unwrap() == list(range(10))
    notes = (tmp_path / "notes").read_text().split()
    assert Counter(notes) == {str(x): 2 if x == 5 else 1 for x in range(10)}
