"""Tasks and plain coroutine functions are passed to a task that calls them."""

import asyncio
from collections.abc import Awaitable, Callable

import upwell

env = upwell.TaskEnvironment("functions_as_inputs")


@env.task
async def add_one(x: int) -> int:
    return x + 1


async def add_two(x: int) -> int:
    return x + 2


@env.task
async def runner(x: int, function: Callable[[int], Awaitable[int]]) -> int:
    return await function(x)


@env.task
async def main() -> list[int]:
    ones, twos = [], []
    for i in range(5):
        ones.append(asyncio.create_task(runner.override(short_name=f"add_one_{i}")(i, add_one)))
        twos.append(asyncio.create_task(runner.override(short_name=f"add_two_{i}")(i, add_two)))
    return await asyncio.gather(*ones) + await asyncio.gather(*twos)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
