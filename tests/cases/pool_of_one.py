"""A pool of one worker with one slot: parents three levels deep call ten children in it, and wait for them."""

import asyncio

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment(
    "case-pool-of-one", reuse_policy=upwell.ReusePolicy(replicas=(1, 1), concurrency=1)
)
CHILDREN, DEPTH = 10, 2


@env.task
async def leaf(n: int) -> int:
    return n


@env.task
def sync_leaf(n: int) -> int:
    return n


@env.task
async def parent(depth: int) -> int:
    """Call ten children: leaves, and on the upper levels one more parent among them."""
    below = [parent(depth - 1)] if depth else []
    leaves = [leaf(n) for n in range(CHILDREN - len(below))]
    return sum(await asyncio.gather(*below, *leaves))


@env.task
def sync_parent(depth: int) -> int:
    """Do the same in order, each call blocking the only slot's thread."""
    below = [sync_parent(depth - 1)] if depth else []
    return sum(below) + sum(sync_leaf(n) for n in range(CHILDREN - len(below)))


@env.task
async def main() -> list[int]:
    return [await parent(DEPTH), await sync_parent.aio(DEPTH)]


def check(observed: Observed) -> None:
    assert len(observed.of(parent)) == len(observed.of(sync_parent)) == DEPTH + 1
    for action in observed.actions:
        assert (action.failures, action.losses) == (0, 0)
        assert [attempt.end for attempt in action.attempts] == ["succeeded"]
    assert observed.kinds(parent) == {observed.kind(reusable=True)}


TOP = DEPTH * sum(range(CHILDREN - 1)) + sum(range(CHILDREN))
SCENARIO = Scenario(main, value=[TOP, TOP], check=check)
