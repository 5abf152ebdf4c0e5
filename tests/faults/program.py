"""A small flow that uses all of the engine: children, a retry, traces, the cache, a large value."""

from __future__ import annotations

import asyncio

import upwell

env = upwell.TaskEnvironment("faults")
executed: list[str] = []
"""Ids of the actions and traces whose code ran, as often as it did."""


def note() -> None:
    action = upwell.ctx().action
    assert action is not None
    executed.append(action.name)


@upwell.trace
async def look_up(name: str) -> str:
    note()
    return name.upper()


@env.task
async def double(n: int) -> int:
    note()
    return 2 * n


@env.task(retries=1)
async def flaky(n: int) -> int:
    note()
    if upwell.ctx().attempt == 1:
        raise ValueError("the first attempt fails")
    return n


@env.task(cache="auto")
def fill(n: int) -> str:
    note()
    return "x" * n


@env.task
async def main() -> list[object]:
    note()
    first = await look_up("first")
    numbers = await asyncio.gather(double(1), double(2), flaky(3))
    filled = await fill.aio(20_000)
    last = await look_up("last")
    return [first, *numbers, len(filled), last]


RESULT = ["FIRST", 2, 4, 3, 20_000, "LAST"]
EFFECTS_AT_LEAST = 25
