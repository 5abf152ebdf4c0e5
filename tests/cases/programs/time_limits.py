"""Bounds of time: of an attempt, and of the whole action."""

import asyncio
from datetime import timedelta

import upwell
from upwell.errors import TaskTimeoutError

env = upwell.TaskEnvironment("time_limits")


@env.task(timeout=timedelta(seconds=0.2), retries=1)
async def slow() -> None:
    await asyncio.sleep(60)


@env.task(timeout=upwell.Timeout(deadline=timedelta(seconds=0.5)), retries=100)
async def fails_forever() -> None:
    await asyncio.sleep(0.2)
    raise RuntimeError("again")


@env.task(timeout=60)
async def quick() -> str:
    return "quick"


@env.task
async def main() -> list[str]:
    seen = [await quick()]
    for task in (slow, fails_forever, quick.override(timeout=upwell.Timeout(max_runtime=30))):
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
