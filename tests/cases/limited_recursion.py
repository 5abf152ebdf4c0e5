"""A task of which one runs at a time calls itself: while it waits, its place is its child's."""

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-limited-recursion", max_concurrency=1)


@env.task(max_concurrency=1)
async def factorial(n: int) -> int:
    return 1 if n <= 1 else n * await factorial(n - 1)


@env.task
def main(n: int) -> int:
    return sum(upwell.map(factorial, [n, n - 1], return_exceptions=False))


def check(observed: Observed) -> None:
    for action in observed.actions:
        assert (action.failures, action.losses) == (0, 0)
        assert {attempt.end for attempt in action.attempts} <= {"succeeded", "suspended"}


SCENARIO = Scenario(main, {"n": 3}, value=8, check=check)
