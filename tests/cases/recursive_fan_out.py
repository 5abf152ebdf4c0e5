"""A task that calls itself, three levels deep; its parents never starve its leaves."""

import asyncio

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-recursive-fan-out")


@env.task
async def leaf(path: list[int]) -> dict[str, list[int]]:
    await asyncio.sleep(0.01)
    return {"path": path}


@env.task
async def grow(widths: list[int], layer: int, path: list[int]) -> int:
    width = widths[layer]
    if layer == len(widths) - 1:
        await asyncio.gather(*[leaf([*path, i]) for i in range(width)])
        return width
    children = [grow(widths, layer + 1, [*path, i]) for i in range(width)]
    return width + sum(await asyncio.gather(*children))


@env.task
async def main(widths: list[int]) -> int:
    return await grow(widths, 0, [])


def check(observed: Observed) -> None:
    assert len(observed.of(grow)) == 1 + 2 + 4
    assert len(observed.of(leaf)) == 4
    assert {action.spec.depth for action in observed.of(leaf)} == {4}


SCENARIO = Scenario(main, {"widths": [2, 2, 1]}, value=10, check=check)
