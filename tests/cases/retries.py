"""A task that fails twice succeeds with its third attempt; its parent does not notice."""

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-retries")


@env.task(retries=3)
async def flaky() -> str:
    if (upwell.ctx().attempt or 0) < 3:
        raise RuntimeError("not yet")
    return "done"


@env.task
async def main() -> str:
    return await flaky()


def check(observed: Observed) -> None:
    (action,) = observed.of(flaky)
    assert [attempt.end for attempt in action.attempts] == ["failed", "failed", "succeeded"]
    assert action.failures == 2
    assert action.losses == 0


SCENARIO = Scenario(main, value="done", check=check)
