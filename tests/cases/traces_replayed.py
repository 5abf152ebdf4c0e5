"""A task that is tried again gets what its traces recorded; what failed in them runs again."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from scenario import Observed, Scenario, in_folder, note

import upwell
from upwell.errors import NonRecoverableError

env = upwell.TaskEnvironment("case-traces-replayed")


@upwell.trace
async def step(folder: str, number: int) -> int:
    note(folder, f"step {number}")
    return number * 10


@upwell.trace
def sync_step(folder: str) -> str:
    note(folder, "sync")
    return "sync"


@upwell.trace
def items(folder: str) -> Iterator[int]:
    note(folder, "items")
    yield from (1, 2)


@upwell.trace
async def words(folder: str) -> AsyncIterator[str]:
    note(folder, "words")
    yield "a"
    yield "b"


@upwell.trace
async def outer(folder: str) -> int:
    note(folder, "outer")
    return await step(folder, 100)


@upwell.trace
async def fails_once(folder: str) -> str:
    note(folder, "fails once")
    if upwell.ctx().attempt == 1:
        raise RuntimeError("once")
    return "second time"


@upwell.trace
async def never(folder: str) -> str:
    note(folder, "never")
    raise NonRecoverableError("never")


@env.task
def in_a_thread(folder: str) -> list[int]:
    result = [len(sync_step(folder)), *items(folder)]
    if upwell.ctx().attempt == 1:
        raise RuntimeError("the first attempt ends here")
    return result


@upwell.trace
def large(folder: str) -> str:
    note(folder, "large")
    return "x" * 20_000


@env.task
async def on_a_loop(folder: str) -> list[int]:
    result = [len(sync_step(folder)), len(large(folder))]
    if upwell.ctx().attempt == 1:
        raise RuntimeError("the first attempt ends here")
    return result


@env.task(retries=1)
async def main(folder: str) -> list[str]:
    steps = await asyncio.gather(*[step(folder, number) for number in (1, 2, 2)])
    seen = [str(sum(steps)), str(await outer(folder)), "".join([word async for word in words(folder)])]
    try:
        await never(folder)
    except NonRecoverableError as e:
        seen.append(str(e))
    seen.append(str(await in_a_thread.override(retries=1).aio(folder)))
    seen.append(str(await on_a_loop.override(retries=1)(folder)))
    seen.append(await fails_once(folder))
    return seen


def check(observed: Observed) -> None:
    assert observed.ends(main) == [["failed", "succeeded"]]
    assert observed.ends(on_a_loop) == [["failed", "succeeded"]]
    assert observed.ends(in_a_thread) == [["failed", "succeeded"]]
    once = [
        "items",
        "large",
        "never",
        "outer",
        "step 1",
        "step 100",
        "step 2",
        "step 2",
        "sync",
        "sync",
        "words",
    ]
    assert sorted(observed.notes) == sorted([*once, "fails once", "fails once"])


SCENARIO = Scenario(
    main, in_folder, value=["50", "1000", "ab", "never", "[4, 1, 2]", "[4, 20000]", "second time"], check=check
)
