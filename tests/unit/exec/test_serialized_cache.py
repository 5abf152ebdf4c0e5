"""Serialized caching: one computes, the others wait; and results that grow too old."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.exec.engine import RUN_ID, Engine, engine, until
from tests.unit.exec.test_places import foreign, now_of

import upwell
from upwell._core.model import ActionKey, CacheEntry, Payload, Status
from upwell._exec.places import Places
from upwell.testing.flows import LocalFlows

env = upwell.TaskEnvironment("serialized")
SOON = {"poll_min_s": 0.02, "heartbeat_s": 0.05}
computed: list[int] = []
opened = threading.Event()


@pytest.fixture(autouse=True)
def _nothing_computed() -> None:
    computed.clear()
    opened.clear()


@env.task(cache=upwell.Cache("auto", serialize=True))
async def square(n: int) -> int:
    computed.append(n)
    return n * n


@env.task
async def slow(n: int) -> int:
    await asyncio.to_thread(opened.wait, 20)
    return n


@env.task(cache=upwell.Cache("auto", serialize=True))
async def parent(n: int) -> int:
    computed.append(n)
    return await slow(n)


@env.task(cache=upwell.Cache("auto", serialize=True), retries=0)
async def fails_once(n: int) -> int:
    computed.append(n)
    if len(computed) == 1:
        raise ValueError("the first one fails")
    return n


@env.task
async def twice() -> list[object]:
    results = await asyncio.gather(fails_once(1), fails_once(1), return_exceptions=True)
    return [str(result) for result in results]


@env.task(cache=upwell.Cache("auto", serialize=True, ignored_inputs="depth"))
async def calls_itself(n: int, depth: int) -> int:
    return n if depth == 0 else await calls_itself(n, depth - 1) + 1


@env.task(cache=upwell.Cache("auto", max_age=3600))
async def aging(n: int) -> int:
    computed.append(n)
    return n


def key_of(n: int) -> str:
    key = square.spec(square.interface.encode_inputs({"n": n})).cache_key
    assert key is not None
    return key


async def test_who_waits_gets_what_another_one_computed(tmp_path: Path) -> None:
    origin = ActionKey("other", "a0")
    async with engine(tmp_path, **SOON) as e:
        await e.store.take_hold(foreign(now_of(e), 3600, f"cache:{key_of(3)}"), replaces=None)
        running = asyncio.create_task(e.run(square, 3))
        done, _ = await asyncio.wait({running}, timeout=0.2)
        assert not done
        kept = Payload(text='{"value":9}', size_bytes=11)
        entry = CacheEntry(key=key_of(3), output=kept, made_by=origin, created_at=now_of(e))
        await e.store.put_cached([entry])
        assert (await running).value == 9
        assert computed == []
        assert (await e.action_of(square)).cached_from == origin
        assert (await e.store.get_cached([key_of(3)]))[key_of(3)] == entry


async def test_a_dead_holder_is_replaced(tmp_path: Path) -> None:
    async with engine(tmp_path, **SOON) as e:
        await e.store.take_hold(foreign(now_of(e), 0.2, f"cache:{key_of(3)}"), replaces=None)
        assert (await e.run(square, 3)).value == 9
        assert computed == [3]


async def test_the_next_one_computes_what_failed(tmp_path: Path) -> None:
    async with engine(tmp_path, **SOON) as e:
        assert sorted((await e.run(twice)).value) == ["1", "the first one fails"]
        assert computed == [1, 1]


async def test_a_task_that_calls_itself_under_its_own_key_does_not_wait_for_itself(tmp_path: Path) -> None:
    async with engine(tmp_path, **SOON) as e:
        assert (await e.run(calls_itself, 5, 3)).value == 8


def until_status(e: Engine, status: Status) -> Callable[[], Awaitable[bool]]:
    async def reached() -> bool:
        record = await e.store.get(ActionKey(RUN_ID, "a0"))
        return record is not None and record.status is status

    return reached


async def test_a_suspended_parent_keeps_its_lock(tmp_path: Path) -> None:
    async with engine(tmp_path, suspends=True, linger_s=0.05, lease_s=0.2, **SOON) as e:
        running = asyncio.create_task(e.run(parent, 7))
        await until(until_status(e, Status.SUSPENDED))
        (lock,) = await e.store.list_holds()
        assert lock.asleep

        async def ran_out() -> bool:
            return now_of(e) > lock.expires_at

        await until(ran_out)
        spec = (await e.action_of(parent)).spec
        other = replace(spec, run=replace(spec.run, run_id="other"))
        assert await Places(e.platform.kernel.ports, other, "late", 30.0).take() is not None
        opened.set()
        assert (await running).value == 7

        async def is_free() -> bool:
            return not await e.store.list_holds()

        await until(is_free)


def test_a_result_that_is_too_old_is_computed_again(upwell_flows: LocalFlows) -> None:
    @env.task
    async def calls(n: int) -> int:
        return await aging(n)

    assert upwell_flows.run(calls, 1).value == 1
    assert upwell_flows.run(calls, 1).value == 1
    assert computed == [1]
    upwell_flows.clock.skip(3601)
    assert upwell_flows.run(calls, 1).value == 1
    assert computed == [1, 1]
    assert upwell_flows.run(calls, 1).value == 1
    assert computed == [1, 1]
