"""`timeout=` bounds each attempt, of async and sync tasks; the parent sees which bound it was."""

import asyncio
import time
from datetime import timedelta

from scenario import Observed, Scenario, in_folder, note

import upwell
from upwell.errors import MaxRuntimeExceededError, TaskTimeoutError

env = upwell.TaskEnvironment("case-timeouts")


@env.task(timeout=timedelta(seconds=0.2))
async def slow(folder: str) -> None:
    try:
        await asyncio.sleep(30)
    finally:
        note(folder, "cleaned up")


@env.task(timeout=upwell.Timeout(max_runtime=0.2))
def slow_in_a_thread() -> None:
    time.sleep(1)


@env.task(timeout=5, retries=1)
async def slow_at_first() -> str:
    if upwell.ctx().attempt == 1:
        raise TimeoutError("the task's own")
    return "in time"


@env.task(timeout=0.2, retries=1)
async def slow_once() -> str:
    await asyncio.sleep(30 if upwell.ctx().attempt == 1 else 0)
    return "retried"


@env.task(timeout=upwell.Timeout(max_runtime=1800, max_queued_time=900, deadline=timedelta(hours=2)))
async def bounded() -> str:
    return "done"


@env.task
async def main(folder: str) -> list[str]:
    seen = []
    try:
        await slow(folder)
    except TaskTimeoutError as e:
        seen.append(type(e).__name__)
    try:
        await slow_in_a_thread.aio()
    except MaxRuntimeExceededError as e:
        seen.append(str(e))
    return [*seen, *await asyncio.gather(slow_at_first(), slow_once(), bounded())]


def check(observed: Observed) -> None:
    assert observed.notes == ["cleaned up"]
    for task in (slow, slow_in_a_thread):
        (action,) = observed.of(task)
        (attempt,) = action.attempts
        assert attempt.error is not None
        assert attempt.error.code == "MaxRuntimeExceededError"
    assert [action.failures for action in observed.of(slow_once)] == [1]


SCENARIO = Scenario(
    main,
    in_folder,
    value=[
        "MaxRuntimeExceededError",
        "case-timeouts.slow_in_a_thread ran longer than max_runtime of 0.2 s",
        "in time",
        "retried",
        "done",
    ],
    check=check,
)
