"""The programs that the benchmarks run."""

from __future__ import annotations

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
    """Map a task that returns its input over `range(n)`."""
    return await upwell.map(echo, range(n))


@workers.task
async def warm_fan_out(n: int) -> list[int]:
    """Do the same with a parent in the same pool."""
    return await upwell.map(echo, range(n))
