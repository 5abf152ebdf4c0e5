"""Tasks and plain coroutine functions as inputs, through `create_task`, `override` and `as_completed`."""

import asyncio
from collections.abc import Awaitable, Callable

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-callable-inputs")


@env.task
async def add_one(x: int) -> int:
    return x + 1


async def add_two(x: int) -> int:
    return x + 2


@env.task
async def call(x: int, function: Callable[[int], Awaitable[int]]) -> int:
    return await function(x)


@env.task
async def main(n: int) -> dict[str, list[int]]:
    ones, twos = [], []
    for i in range(n):
        ones.append(asyncio.create_task(call.override(short_name=f"one-{i}")(i, add_one)))
        twos.append(asyncio.create_task(call.override(short_name=f"two-{i}")(i, add_two)))
    gathered = [*await asyncio.gather(*ones), *await asyncio.gather(*twos)]
    completed = [await done for done in asyncio.as_completed([add_one(x) for x in (5, 6)])]
    return {"gathered": gathered, "completed": sorted(completed)}


def check(observed: Observed) -> None:
    names = sorted(str(action.spec.task.short_name) for action in observed.of(call))
    assert names == ["one-0", "one-1", "one-2", "two-0", "two-1", "two-2"]
    nested = [action for action in observed.of(add_one) if action.spec.depth == 2]
    assert len(nested) == 3


SCENARIO = Scenario(main, {"n": 3}, value={"gathered": [1, 2, 3, 2, 3, 4], "completed": [6, 7]}, check=check)
