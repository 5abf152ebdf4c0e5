"""The programs that are measured beside those of `bench.peers`."""

from __future__ import annotations

import asyncio
import time

import upwell
from bench.flows import echo, parents, workers
from bench.peers.timing import peak_mib
from bench.traces import light

ITEM_S = 0.001


@parents.task
async def fan_out(n: int) -> tuple[list[int], float]:
    """Call a task n times at once, an action each; return also the peak memory of this process in MiB."""
    return await asyncio.gather(*(echo(x) for x in range(n))), peak_mib()


@parents.task
async def traces(n: int) -> list[int]:
    """Call a trace n times at once."""
    return await asyncio.gather(*(light(x) for x in range(n)))


@workers.task
async def sleeping(x: int) -> int:
    """Wait for a millisecond."""
    await asyncio.sleep(ITEM_S)
    return x


@workers.task
async def working(x: int) -> int:
    """Use a processor for a millisecond."""
    end = time.thread_time() + ITEM_S
    while time.thread_time() < end:
        pass
    return x


WORK = {"sleeping": sleeping, "working": working}


@parents.task
async def mapped(n: int, work: str, batch: int | str) -> tuple[int, float]:
    """Map over n items; return how many came back in their place, and the peak memory as `fan_out` does."""
    at = 0
    async for x in upwell.map.aio(WORK[work], range(n), batch=batch):
        at += x == at
    return at, peak_mib()
