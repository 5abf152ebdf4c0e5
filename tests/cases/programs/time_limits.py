"""Bounds of time: of an attempt, and of the whole action."""

import asyncio
from datetime import timedelta

import upwell
from upwell.errors import TaskTimeoutError

env = upwell.TaskEnvironment("time_limits")
tries: list[str] = []


@env.task(timeout=timedelta(seconds=0.2), retries=1)
async def slow() -> None:
    await asyncio.sleep(60)


@env.task(timeout=upwell.Timeout(deadline=timedelta(seconds=2)), retries=100)
async def fails_once() -> None:
    tries.append("again")
    if len(tries) == 1:
        raise RuntimeError(tries[0])
    await asyncio.sleep(60)


@env.task(timeout=60)
async def quick() -> str:
    return "quick"


@env.task
async def main() -> list[str]:
    seen = [await quick()]
    for task in (slow, fails_once, quick.override(timeout=upwell.Timeout(max_runtime=30))):
        try:
            seen.append(str(await task()))
        except TaskTimeoutError as e:
            seen.append(type(e).__name__)
    return seen


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
