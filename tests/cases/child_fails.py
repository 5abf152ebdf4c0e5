"""A failing child reaches the root, with its own type's name and its message."""

from scenario import Scenario

import upwell

env = upwell.TaskEnvironment("case-child-fails")


@env.task
async def fail(x: int) -> int:
    raise ValueError(f"{x} is not to my taste")


@env.task
async def middle(x: int) -> int:
    return await fail(x)


@env.task
async def main() -> int:
    return await middle(3)


SCENARIO = Scenario(main, error="RuntimeUserError", code="ValueError", message="3 is not to my taste")
