"""Sync tasks from async code: refused where they would block the loop, awaited through `aio`."""

import asyncio

from scenario import Observed, Scenario

import upwell
from upwell.errors import SyncTaskCallInAsyncContextError

env = upwell.TaskEnvironment("case-sync-in-async")


@env.task
def double(x: int) -> int:
    return 2 * x


@env.task
async def triple(x: int) -> int:
    return 3 * x


@env.task
def own_loop() -> int:
    async def both() -> int:
        return sum(await asyncio.gather(triple(10), double.aio(10)))

    return asyncio.run(both())


@env.task
async def main() -> dict[str, int | str]:
    seen: dict[str, int | str] = {}
    try:
        double(1)
    except SyncTaskCallInAsyncContextError as e:
        seen["called"] = e.code
    try:
        list(upwell.map(double, [1]))
    except SyncTaskCallInAsyncContextError as e:
        seen["mapped"] = e.code
    seen["aio"] = await double.aio(2)
    seen["aio of async"] = await triple.aio(2)
    seen["forward"] = double.forward(4)
    seen["own loop"] = await own_loop.aio()
    return seen


def check(observed: Observed) -> None:
    assert len(observed.of(double)) == 2
    assert len(observed.of(triple)) == 2


SCENARIO = Scenario(
    main,
    value={
        "called": "SyncTaskCallInAsyncContextError",
        "mapped": "SyncTaskCallInAsyncContextError",
        "aio": 4,
        "aio of async": 6,
        "forward": 8,
        "own loop": 50,
    },
    check=check,
)
