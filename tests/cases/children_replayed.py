"""A parent that is tried again finds its children: what succeeded is not executed again."""

import asyncio

from scenario import Observed, Scenario, in_folder, note

import upwell

env = upwell.TaskEnvironment("case-children-replayed")


@env.task
async def child(folder: str, x: int) -> int:
    note(folder, f"child {x}")
    return x


@env.task(retries=2)
async def parent(folder: str) -> list[int]:
    first = await asyncio.gather(*[child(folder, x) for x in (1, 2, 2)])
    if upwell.ctx().attempt == 1:
        raise RuntimeError("after the first three")
    second = await child(folder, 3)
    if upwell.ctx().attempt == 2:
        raise RuntimeError("after the fourth")
    return [*first, second]


@env.task
async def main(folder: str) -> list[int]:
    return await parent(folder)


def check(observed: Observed) -> None:
    assert observed.ends(parent) == [["failed", "failed", "succeeded"]]
    assert observed.ends(child) == [["succeeded"]] * 4
    assert sorted(observed.notes) == ["child 1", "child 2", "child 2", "child 3"]


SCENARIO = Scenario(main, in_folder, value=[1, 2, 2, 3], check=check)
