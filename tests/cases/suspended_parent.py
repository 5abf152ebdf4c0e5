"""A parent whose child takes long: on Lambda it leaves and comes back, and does nothing twice."""

import asyncio

from scenario import Observed, Scenario, in_folder, note

import upwell

env = upwell.TaskEnvironment("case-suspended-parent")
LONGER_THAN_LINGER_S = 7.0


@upwell.trace
async def step(folder: str) -> int:
    note(folder, "step")
    return 1


@env.task
async def quick(folder: str) -> int:
    note(folder, "quick")
    return 10


@env.task
async def slow(folder: str) -> int:
    note(folder, "slow")
    await asyncio.sleep(LONGER_THAN_LINGER_S if upwell.ctx().mode == "sandbox" else 0)
    return 100


@env.task
async def middle(folder: str) -> int:
    return await step(folder) + await quick(folder) + await slow(folder)


@env.task
async def main(folder: str) -> int:
    note(folder, "main")
    return await middle(folder) + await quick(folder)


def check(observed: Observed) -> None:
    once = [text for text in observed.notes if text != "main"]
    assert sorted(once) == ["quick", "quick", "slow", "step"]
    for action in observed.of(main) + observed.of(middle):
        ends = [attempt.end for attempt in action.attempts]
        assert ends[-1] == "succeeded"
        assert (action.failures, action.losses) == (0, 0)
        assert ("suspended" in ends) is (observed.backend == "sandbox"), ends
    assert (observed.notes.count("main") > 1) is (observed.backend == "sandbox")


SCENARIO = Scenario(main, in_folder, value=121, check=check)
