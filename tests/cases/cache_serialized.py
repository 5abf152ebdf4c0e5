"""Equal calls at the same time, by several parents: one computes, the others get its result."""

import asyncio

from scenario import Observed, Scenario, in_folder, note

import upwell

env = upwell.TaskEnvironment("case-cache-serialized")
once = upwell.Cache("auto", serialize=True, ignored_inputs="folder")


@env.task
async def step(folder: str, n: int) -> int:
    note(folder, f"square {n}")  # here: the parent replays if it was suspended
    await asyncio.sleep(0.2)
    return n


@env.task(cache=once)
async def slow_square(folder: str, n: int) -> int:
    return n * await step(folder, n)


@env.task
async def parent(folder: str, number: int) -> int:
    return sum(await asyncio.gather(*(slow_square(folder, n) for n in (2, 3, 2))))


@env.task
async def main(folder: str) -> int:
    return sum(await asyncio.gather(*(parent(folder, number) for number in range(3))))


def check(observed: Observed) -> None:
    assert sorted(observed.notes) == ["square 2", "square 3"]
    squares = observed.of(slow_square)
    assert len(squares) == 9
    made = {action.key for action in squares if action.cached_from is None}
    assert len(made) == 2
    assert {action.cached_from for action in squares if action.cached_from is not None} == made


SCENARIO = Scenario(main, in_folder, value=3 * (4 + 9 + 4), check=check)
