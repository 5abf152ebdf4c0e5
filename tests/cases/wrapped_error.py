"""A child's ValueError is a `RuntimeUserError` in its parent: `except ValueError` does not catch it."""

from scenario import Scenario

import upwell

env = upwell.TaskEnvironment("case-wrapped-error")


@env.task
async def score(max_depth: int) -> float:
    if max_depth <= 0:
        raise ValueError("max_depth must be positive")
    return 0.90 + max_depth / 1000


@env.task
async def main(max_depth: int) -> float:
    try:
        return await score(max_depth)
    except ValueError:
        return await score(6)


SCENARIO = Scenario(
    main,
    {"max_depth": 0},
    error="RuntimeUserError",
    code="ValueError",
    message="max_depth must be positive",
)
