"""A map over many items, in order."""

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-fan-out")


@env.task
async def double(x: int) -> int:
    return 2 * x


@env.task
async def main(n: int) -> list[int]:
    return await upwell.map(double, range(n))


def check(observed: Observed) -> None:
    assert sum(action.spec.items for action in observed.of(double)) == 30
    assert all(action.attempt == 1 for action in observed.actions)


SCENARIO = Scenario(main, {"n": 30}, value=[2 * x for x in range(30)], check=check)
