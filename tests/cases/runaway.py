"""A task that calls itself without an end is stopped with an error that names it."""

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-runaway")
LEVELS = 4


@env.task(retries=3)
async def deeper(level: int) -> int:
    return await deeper(level + 1)


def check(observed: Observed) -> None:
    assert len(observed.of(deeper)) == LEVELS + 1
    assert {action.attempt for action in observed.actions} == {1}  # nobody tries it again


SCENARIO = Scenario(
    deeper,
    {"level": 0},
    error="RunawayRunError",
    code="RunawayRunError",
    message=f"case-runaway.deeper calls case-runaway.deeper on level {LEVELS + 1}",
    check=check,
    options={"max_depth": LEVELS},
)
