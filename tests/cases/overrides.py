"""What a call overrides: retries, timeout, names; and what it cannot."""

import asyncio
from collections.abc import Callable
from typing import Any

from scenario import Observed, Scenario

import upwell
from upwell.errors import MaxRuntimeExceededError, RuntimeUserError

env = upwell.TaskEnvironment("case-overrides")


@env.task(retries=1)
async def flaky(good_attempt: int) -> int:
    attempt = upwell.ctx().attempt or 0
    if attempt < good_attempt:
        raise RuntimeError(f"attempt {attempt} failed")
    return attempt


@env.task
async def slow() -> str:
    await asyncio.sleep(30)
    return "slept"


def refused(make: Callable[[], Any]) -> str:
    try:
        make()
    except (TypeError, ValueError) as e:
        return type(e).__name__
    return "accepted"


@env.task
async def main() -> list[str]:
    seen = []
    try:
        await flaky(3)
    except RuntimeUserError as e:
        seen.append(str(e))
    seen.append(str(await flaky.override(retries=2, short_name="patient")(3)))
    try:
        await slow.override(timeout=0.1)()
    except MaxRuntimeExceededError as e:
        seen.append(e.code)
    seen.append(refused(lambda: slow.override(name="other")))  # type: ignore[call-arg]
    seen.append(refused(lambda: slow.override(colour="red")))  # type: ignore[call-arg]
    return seen


def check(observed: Observed) -> None:
    assert sorted(observed.ends(flaky)) == [["failed", "failed"], ["failed", "failed", "succeeded"]]
    assert {action.spec.task.short_name for action in observed.of(flaky)} == {None, "patient"}
    (timed_out,) = observed.of(slow)
    assert timed_out.failures == 1


SCENARIO = Scenario(
    main,
    value=["attempt 2 failed", "3", "MaxRuntimeExceededError", "ValueError", "TypeError"],
    check=check,
)
