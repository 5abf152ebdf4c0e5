"""The programs that are measured beside those of `bench.peers`."""

from __future__ import annotations

import asyncio

import upwell
from bench.flows import echo, parents


@parents.task
async def gather(n: int) -> list[int]:
    """Call a task n times at once, an action each."""
    return await asyncio.gather(*(echo(x) for x in range(n)))


@parents.task
async def chain(n: int) -> list[int]:
    """Call a task n times, one after the other."""
    return [await echo(x) for x in range(n)]


@upwell.trace
async def light(x: int) -> int:
    return x


@parents.task
async def traces(n: int) -> list[int]:
    """Call a trace n times at once."""
    return await asyncio.gather(*(light(x) for x in range(n)))
