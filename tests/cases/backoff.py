"""A retry strategy: its attempts wait, longer each time, up to a cap."""

from datetime import timedelta

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-backoff")
DELAYS = [0.1, 0.2]


@env.task(
    retries=upwell.RetryStrategy(
        count=5, backoff=upwell.Backoff(base=timedelta(seconds=0.1), factor=4.0, cap=timedelta(seconds=0.2))
    )
)
async def patient() -> str:
    if (upwell.ctx().attempt or 0) <= len(DELAYS):
        raise ConnectionError("not yet")
    return "ok"


@env.task
async def main() -> str:
    return await patient()


def check(observed: Observed) -> None:
    (action,) = observed.of(patient)
    attempts = action.attempts
    assert [attempt.end for attempt in attempts] == ["failed", "failed", "succeeded"]
    for before, after, delay_s in zip(attempts[:-1], attempts[1:], DELAYS, strict=True):
        assert after.started_at - (before.ended_at or 0) >= delay_s - 0.01


SCENARIO = Scenario(main, value="ok", check=check)
