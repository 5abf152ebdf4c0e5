"""A fan-out inside a group, in warm workers; one failure is a value among the results."""

import asyncio

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment(
    "case-gather-in-group",
    reuse_policy=upwell.ReusePolicy(replicas=1, concurrency=100, idle_ttl=60, scaledown_ttl=60),
)


@env.task
async def work(x: int) -> int:
    if x % 1000 == 0:
        raise ValueError(f"{x} is a multiple of 1000")
    return x


@env.task
async def main(n: int) -> int:
    with upwell.group("fan-out"):
        results = await asyncio.gather(*[work(x) for x in range(n)], return_exceptions=True)
    return sum(result for result in results if not isinstance(result, BaseException))


def check(observed: Observed) -> None:
    works = observed.of(work)
    assert {action.spec.group for action in works} == {"fan-out"}
    assert sum(action.status == "FAILED" for action in works) == 1
    assert len(works) == 30
    assert observed.kinds(work) == observed.kinds(main) == {observed.kind(reusable=True)}


SCENARIO = Scenario(main, {"n": 30}, value=435, check=check)
