"""Places under limits as attempts take and leave them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.exec.engine import Engine, engine, until

import upwell
from upwell import errors
from upwell._core.holds import Hold
from upwell._core.model import Executor, Status

env = upwell.TaskEnvironment("places")
SCOPE = "task:places.limited"
SOON = {"poll_min_s": 0.02, "heartbeat_s": 0.05}
gate = asyncio.Event()


@pytest.fixture(autouse=True)
def _gate() -> None:
    global gate  # an event belongs to the loop of one test
    gate = asyncio.Event()


@env.task(max_concurrency=1)
async def limited(n: int) -> int:
    await gate.wait()
    return n


@env.task(max_concurrency=1, retries=2)
async def failing(n: int) -> int:
    raise ValueError(f"no {n}")


@env.task(max_concurrency=1, timeout=upwell.Timeout(max_queued_time=0.2))
async def impatient(n: int) -> int:
    return n


@env.task
async def plain(n: int) -> int:
    return n


@env.task
async def both() -> list[str]:
    return [str(e) for e in await asyncio.gather(failing(1), failing(2), return_exceptions=True)]


@env.task
async def gives_up() -> str:
    try:
        await asyncio.wait_for(limited(1), 0.2)
    except TimeoutError:
        return "gave up"
    return "came back"


def foreign(now: float, expires_in_s: float, scope: str = SCOPE) -> Hold:
    """Return the hold of somebody who is not of this run."""
    return Hold(
        scope=scope,
        place=0,
        lease_id="foreign",
        run_id="other",
        action_id="a0",
        generation=1,
        task="places.limited",
        executor=Executor(kind="worker", id="elsewhere"),
        since=now,
        expires_at=now + expires_in_s,
    )


def now_of(e: Engine) -> float:
    return e.platform.kernel.ports.clock.now()


async def test_a_place_is_held_while_the_task_runs_and_free_afterwards(tmp_path: Path) -> None:
    async with engine(tmp_path, **SOON) as e:
        running = asyncio.create_task(e.run(limited, 5))

        await until(_runs(e))
        (hold,) = await e.store.list_holds(SCOPE)
        record = await e.action_of(limited)
        assert record.lease is not None
        assert (hold.run_id, hold.action_id, hold.lease_id) == ("run", "a0", record.lease.id)
        gate.set()
        assert (await running).value == 5
        await until(_free(e))


def _runs(e: Engine) -> Callable[[], Awaitable[bool]]:
    async def runs() -> bool:
        return [action.status for action in await e.actions_of(limited)] == [Status.RUNNING]

    return runs


def _free(e: Engine) -> Callable[[], Awaitable[bool]]:
    async def is_free() -> bool:
        return not await e.store.list_holds()

    return is_free


async def test_a_task_without_limits_writes_no_hold(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:

        async def refuse(*_: object, **__: object) -> bool:
            raise AssertionError("a request about places")

        for name in ("list_holds", "take_hold", "renew_hold", "release_hold"):
            setattr(e.store, name, refuse)
        assert (await e.run(plain, 1)).value == 1


async def test_who_finds_no_place_waits_until_the_holder_leaves(tmp_path: Path) -> None:
    gate.set()
    async with engine(tmp_path, **SOON) as e:
        there = foreign(now_of(e), 3600)
        await e.store.take_hold(there, replaces=None)
        running = asyncio.create_task(e.run(limited, 5))
        done, _ = await asyncio.wait({running}, timeout=0.3)
        assert not done
        assert await e.actions_of(limited) == [], "who waits has no record"
        await e.store.release_hold(there)
        assert (await running).value == 5


async def test_a_dead_holder_frees_its_place_by_itself(tmp_path: Path) -> None:
    gate.set()
    async with engine(tmp_path, **SOON) as e:
        dies_at = now_of(e) + 0.3
        await e.store.take_hold(foreign(now_of(e), 0.3), replaces=None)
        assert (await e.run(limited, 5)).value == 5
        started_at = (await e.action_of(limited)).started_at
        assert started_at is not None
        assert started_at >= dies_at


async def test_an_attempt_whose_place_was_taken_goes_back_and_waits(tmp_path: Path) -> None:
    async with engine(tmp_path, **SOON) as e:
        running = asyncio.create_task(e.run(limited, 5))

        await until(_runs(e))
        taken = False
        there = foreign(now_of(e), 3600)
        while not taken:  # it is renewed all the time
            (mine,) = await e.store.list_holds()
            taken = await e.store.take_hold(there, replaces=mine)

        async def is_back() -> bool:
            return (await e.action_of(limited)).status is Status.QUEUED

        await until(is_back)
        gate.set()
        await e.store.release_hold(there)
        assert (await running).value == 5
        record = await e.action_of(limited)
        assert [attempt.end for attempt in record.attempts] == ["released", "succeeded"]
        assert (record.failures, record.losses) == (0, 0)


async def test_a_lost_place_is_made_good_by_another_one(tmp_path: Path) -> None:
    wider = limited.override(max_concurrency=2)
    async with engine(tmp_path, **SOON) as e:
        running = asyncio.create_task(e.run(wider, 5))

        async def has(count: int) -> bool:
            return len([h for h in await e.store.list_holds() if h.run_id == "run"]) == count

        await until(_runs(e))
        taken = False
        while not taken:
            (mine,) = await e.store.list_holds()
            taken = await e.store.take_hold(replace(foreign(now_of(e), 3600), place=mine.place), replaces=mine)
        await until(lambda: has(1))
        gate.set()
        assert (await running).value == 5
        assert [attempt.end for attempt in (await e.action_of(limited)).attempts] == ["succeeded"]


async def test_failures_and_retries_leave_the_place_to_the_next(tmp_path: Path) -> None:
    async with engine(tmp_path, **SOON) as e:
        result = await e.run(both)
        assert result.value == ["no 1", "no 2"]
        assert [len(action.attempts) for action in await e.actions_of(failing)] == [3, 3]
        await until(_free(e))


async def test_a_call_that_waits_for_a_place_can_be_cancelled(tmp_path: Path) -> None:
    async with engine(tmp_path, **SOON) as e:
        await e.store.take_hold(foreign(now_of(e), 3600), replaces=None)
        assert (await e.run(gives_up)).value == "gave up"
        assert (await e.action_of(limited)).status is Status.ABORTED


async def test_an_action_that_waits_for_a_place_for_too_long_times_out(tmp_path: Path) -> None:
    async with engine(tmp_path, **SOON) as e:
        await e.store.take_hold(foreign(now_of(e), 3600, "task:places.impatient"), replaces=None)
        result = await e.run(impatient, 1)
        assert isinstance(result.error, errors.MaxQueuedTimeExceededError)


async def test_a_drained_executor_leaves_its_places(tmp_path: Path) -> None:
    async with engine(tmp_path, **SOON) as e:
        running = asyncio.create_task(e.run(limited, 5))

        await until(_runs(e))
        await e.platform.aclose()
        assert await e.store.list_holds() == []
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
