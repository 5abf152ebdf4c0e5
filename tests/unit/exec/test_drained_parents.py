"""Parents on an executor that drains: those that only wait are suspended, and woken by their children."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.unit.exec.engine import Engine, engine, until

import upwell
from upwell._author.task import Task
from upwell._core.model import Status
from upwell._exec import attempt

parents = upwell.TaskEnvironment("drained-parents", reuse_policy=upwell.ReusePolicy())
children = upwell.TaskEnvironment("drained-children")
one_slot = upwell.TaskEnvironment(
    "drained-one-slot", reuse_policy=upwell.ReusePolicy(replicas=(1, 1), concurrency=1)
)
gate, failing = threading.Event(), threading.Event()
begun: list[int] = []


@pytest.fixture(autouse=True)
def _closed_gate() -> None:
    gate.clear()
    failing.clear()
    begun.clear()


async def opened() -> None:
    """Wait for the test to open the gate."""
    await asyncio.to_thread(gate.wait, 20)


@children.task
async def child(x: int) -> int:
    begun.append(x)
    await opened()
    return x


@children.task(retries=1)
async def fails_once() -> int:
    begun.append(0)
    await opened()
    if failing.is_set():
        failing.clear()
        raise ValueError("the first time")
    return 7


@one_slot.task
async def queued(x: int) -> int:
    begun.append(x)
    await opened()
    return x


@parents.task
async def one() -> int:
    return await child(1)


@parents.task
async def many(n: int) -> list[int]:
    return await upwell.map(child, range(n))


@parents.task
def sync_parent() -> list[int]:
    return list(upwell.map(child, range(3)))


@parents.task
async def waits_for_a_retry() -> int:
    return await fails_once()


@parents.task
async def waits_for_queued() -> list[int]:
    return await asyncio.gather(queued(1), queued(2), queued(3))


@parents.task
async def busy() -> int:
    call = asyncio.create_task(child(1))
    await opened()  # work of its own
    return await call


async def drain(engine_: Engine) -> None:
    """Drain the worker of the parents; the next message to them starts another."""
    platform = engine_.platform
    platform._executor.drain()
    worker = platform._workers.pop(parents.name)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def started(engine_: Engine, task: Task[..., Any], awaited: int) -> bool:
    """Whether a parent waits for so many children, of which one has begun."""
    if not begun:
        return False
    journal = await engine_.store.read((await engine_.action_of(task)).key, 0, "")
    return sum(len(getattr(item.entry, "children", ())) for item in journal) == awaited


async def is_suspended(engine_: Engine, task: Task[..., Any]) -> bool:
    return (await engine_.action_of(task)).status is Status.SUSPENDED


@pytest.mark.parametrize(
    ("task", "args", "awaited", "value"),
    [
        (one, (), 1, 1),
        (many, (5,), 5, [0, 1, 2, 3, 4]),
        (sync_parent, (), 3, [0, 1, 2]),
        (waits_for_queued, (), 3, [1, 2, 3]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
async def test_one_that_waits_sleeps_until_its_children_wake_it(
    tmp_path: Path, task: Task[..., Any], args: tuple[Any, ...], awaited: int, value: Any
) -> None:
    async with engine(tmp_path) as e:
        running = asyncio.create_task(e.run(task, *args))
        await until(lambda: started(e, task, awaited))
        await drain(e)
        assert await is_suspended(e, task)
        assert parents.name not in e.platform._workers  # no message was sent to it
        gate.set()
        result = await asyncio.wait_for(running, 20)
        assert result.unwrap() == value
        root = await e.action_of(task)
        ends = [(attempt.number, attempt.end, attempt.note) for attempt in root.attempts]
        assert ends[0] == (1, "suspended", "its executor drained")
        assert ends[-1] == (1, "succeeded", "")
        assert len(begun) == awaited


async def test_one_with_work_of_its_own_is_given_back_at_once(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        running = asyncio.create_task(e.run(busy))
        await until(lambda: started(e, busy, 1))
        await drain(e)
        gate.set()
        assert (await running).unwrap() == 1
        root = await e.action_of(busy)
        assert [attempt.end for attempt in root.attempts] == ["released", "succeeded"]
        assert root.suspension is None


async def test_a_child_that_ends_after_the_suspension_and_before_it_is_asked_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine(tmp_path) as e:
        running = asyncio.create_task(e.run(one))
        await until(lambda: started(e, one, 1))
        get_many = e.store.get_many

        async def get_late(keys: Any) -> Any:
            known = await get_many(keys)
            gate.set()
            await until(lambda: _ended(e, child))
            return known  # what was the case before: the write that follows is refused

        monkeypatch.setattr(e.store, "get_many", get_late)
        await drain(e)
        assert (await asyncio.wait_for(running, 20)).unwrap() == 1
        assert [attempt.end for attempt in (await e.action_of(one)).attempts] == ["suspended", "succeeded"]


async def test_a_retry_of_a_child_still_knows_that_its_parent_sleeps(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        running = asyncio.create_task(e.run(waits_for_a_retry))
        await until(lambda: started(e, waits_for_a_retry, 1))
        await drain(e)
        failing.set()
        gate.set()
        assert (await asyncio.wait_for(running, 20)).unwrap() == 7
        assert [attempt.end for attempt in (await e.action_of(fails_once)).attempts] == ["failed", "succeeded"]


async def test_an_executor_that_dies_while_it_asks_the_children_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message was not deleted yet: it comes again, to an action that sleeps and has told nobody."""
    async with engine(tmp_path) as e:
        running = asyncio.create_task(e.run(one))
        await until(lambda: started(e, one, 1))
        get_many, failures = e.store.get_many, [OSError("the store is out of reach")]

        async def fail_once(keys: Any) -> Any:
            if failures:
                raise failures.pop()
            return await get_many(keys)

        monkeypatch.setattr(e.store, "get_many", fail_once)
        await drain(e)
        e.platform.serve(parents.name, (await e.action_of(one)).spec)  # the next executor of the pool
        gate.set()
        assert (await asyncio.wait_for(running, 20)).unwrap() == 1
        assert (await e.action_of(one)).losses == 0


async def test_one_that_took_too_long_to_fall_asleep_leaves_its_message_to_who_has_it_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "HELD_MARGIN_S", 10.0)  # longer than the message stays hidden
    async with engine(tmp_path, lease_s=1.0, heartbeat_s=0.2) as e:
        running = asyncio.create_task(e.run(one))
        await until(lambda: started(e, one, 1))
        await drain(e)
        e.platform.serve(parents.name, (await e.action_of(one)).spec)  # the next executor of the pool
        await until(lambda: _is_running_again(e))
        gate.set()
        assert (await asyncio.wait_for(running, 20)).unwrap() == 1


async def _is_running_again(engine_: Engine) -> bool:
    parent = await engine_.action_of(one)
    return parent.status is Status.RUNNING and len(parent.attempts) == 2


async def _ended(engine_: Engine, task: Task[..., Any]) -> bool:
    return all(action.status is Status.SUCCEEDED for action in await engine_.actions_of(task))
