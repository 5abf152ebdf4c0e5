"""Every way in which user code can take its process down, and the error that its parent sees.

upwell run examples/crashers.py crash_everything --backend sandbox --follow

Not for the `local` backend, which runs tasks in its own process: it would crash, or hang, with them.
"""

import asyncio
import ctypes
import os
import sys
import time

import upwell

env = upwell.TaskEnvironment("crashers")
pool = upwell.TaskEnvironment(
    "crashers-pool", reuse_policy=upwell.ReusePolicy(replicas=(1, 1), concurrency=4), depends_on=[env]
)


@env.task
async def segfaults() -> None:
    ctypes.string_at(0)


@env.task
async def exits_without_a_word() -> None:
    os._exit(3)


@env.task
def exits() -> None:
    sys.exit("enough")


@env.task
def runs_out_of_memory(mib: int = 20_000) -> int:
    held = [b"x" * 2**20 for _ in range(mib)]
    return len(held)


@env.task
async def holds_the_interpreter(seconds: int) -> str:
    """A C extension that keeps the GIL: nothing else of Python runs in this process."""
    sleep = ctypes.PyDLL(None).sleep
    sleep(seconds)
    return "finished"


@env.task(timeout=1)
def never_returns() -> None:
    while True:
        time.sleep(0.1)


@env.task(timeout=1)
def never_lets_go() -> None:
    ctypes.PyDLL(None).sleep(600)


@env.task(retries=2)
def crashes_twice() -> str:
    if (upwell.ctx().attempt or 0) < 3:
        os._exit(1)
    return "succeeded in attempt 3"


@pool.task
async def neighbour(number: int) -> str:
    """Four of these share a process, until the first one brings it down."""
    await asyncio.sleep(2)
    if number == 0:
        os._exit(4)
    await asyncio.sleep(1)
    return f"neighbour {number} finished"


@pool.task
async def crash_everything(hold_s: int = 60) -> list[str]:
    calls = {
        "segfaults": segfaults(),
        "exits_without_a_word": exits_without_a_word(),
        "exits": exits.aio(),
        "runs_out_of_memory": runs_out_of_memory.aio(),
        f"holds_the_interpreter for {hold_s} s": holds_the_interpreter(hold_s),
        "never_returns": never_returns.aio(),
        "never_lets_go": never_lets_go.aio(),
        "crashes_twice": crashes_twice.aio(),
        **{f"neighbour {number}": neighbour(number) for number in range(4)},
    }
    results = await asyncio.gather(*calls.values(), return_exceptions=True)
    return [f"{name}: {_told(result)}" for name, result in zip(calls, results, strict=True)]


def _told(result: object) -> str:
    if isinstance(result, upwell.errors.BaseRuntimeError):
        return f"{type(result).__name__} ({result.code}): {result}"
    return str(result)


if __name__ == "__main__":
    run = upwell.with_runcontext(mode="sandbox").run(crash_everything)
    run.wait()
    print(*run.outputs()[0], sep="\n")
