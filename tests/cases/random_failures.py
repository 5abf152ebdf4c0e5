"""A lookup that fails at random, with retries, and a cached step after it, in a run without the cache."""

import random

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-random-failures")


@env.task(retries=40)
def look_up(user_id: int) -> str:
    if random.random() < 0.5:
        raise RuntimeError("no luck")
    return f"user-{user_id}"


@env.task(cache="auto")
def profile(user: str) -> dict[str, str]:
    return {"user": user, "email": f"{user}@example.com", "phone": "+1234567890"}


@env.task
def main(user_id: int) -> dict[str, str]:
    return profile(user=look_up(user_id=user_id))


def check(observed: Observed) -> None:
    (action,) = observed.of(look_up)
    *failed, last = action.attempts
    assert last.end == "succeeded"
    assert {attempt.end for attempt in failed} <= {"failed"}
    assert action.losses == 0
    assert action.failures == last.number - 1


SCENARIO = Scenario(
    main,
    {"user_id": 1},
    value={"user": "user-1", "email": "user-1@example.com", "phone": "+1234567890"},
    check=check,
    options={"disable_run_cache": True},
)
