"""The programs that the benchmarks run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import upwell
from upwell import ReusePolicy, TaskEnvironment

workers = TaskEnvironment(
    name="bench-workers", reuse_policy=ReusePolicy(replicas=(2, 2), concurrency=16, idle_ttl=600)
)
parents = TaskEnvironment(name="bench-parents", depends_on=[workers])


@workers.task
async def echo(x: int) -> int:
    return x


@parents.task
async def fan_out(n: int) -> list[int]:
    """Map a task that returns its input over `range(n)`, an action each."""
    return await upwell.map(echo, range(n), batch=1)


@parents.task
async def one_call(x: int) -> int:
    """Call a task that returns its input once."""
    return await echo(x)


@workers.task
async def warm_fan_out(n: int) -> list[int]:
    """Do the same with a parent in the same pool."""
    return await upwell.map(echo, range(n), batch=1)


@parents.task
async def chain(n: int) -> list[int]:
    """Call a task n times, one after the other."""
    return [await echo(x) for x in range(n)]


@workers.task
async def warm_chain(n: int) -> list[int]:
    """Do the same with a parent in the same pool."""
    return [await echo(x) for x in range(n)]


@dataclass
class Times:
    """How children that last pass their time; `bench.replays` gives them a clock that skips."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


times = Times()
sleepers = TaskEnvironment(
    name="bench-sleepers", reuse_policy=ReusePolicy(replicas=(2, 2), concurrency=256, idle_ttl=600)
)
sleeping_parents = TaskEnvironment(name="bench-sleeping-parents", depends_on=[sleepers])


@sleepers.task
async def lasting(x: int, child_s: float) -> int:
    """Take between half of `child_s` and all of it, scattered but the same each time."""
    await times.sleep(child_s * (0.5 + 0.5 * (x * 7919 % 1000) / 1000))
    return x


@sleeping_parents.task
async def lasting_fan_out(n: int, child_s: float) -> list[int]:
    """Wait for n children that last."""
    return await asyncio.gather(*(lasting(x, child_s) for x in range(n)))
