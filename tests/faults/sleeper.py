"""A flow whose parent waits for long: the child fails at first, and its retry is far away."""

from __future__ import annotations

from datetime import timedelta

import upwell
from upwell import Backoff, RetryStrategy, TaskEnvironment

env = TaskEnvironment("sleeper")
RETRY = RetryStrategy(1, backoff=Backoff(base=timedelta(seconds=100)))
QUICK = RetryStrategy(1, backoff=Backoff(base=timedelta(seconds=2)))


async def work(n: int) -> int:
    if upwell.ctx().attempt == 1:
        raise ValueError("the first attempt fails")
    return 2 * n


@env.task(retries=RETRY)
async def slow(n: int) -> int:
    return await work(n)


@env.task(retries=QUICK)
async def quick(n: int) -> int:
    return await work(n)


@env.task
async def main() -> int:
    """For clocks that skip."""
    return await slow(21)


@env.task
async def quick_main() -> int:
    """For clocks that do not."""
    return await quick(21)


RESULT = 42
