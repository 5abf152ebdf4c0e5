"""Tasks for tests of user processes; a file of its own, because those processes import it."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import upwell

env = upwell.TaskEnvironment("guests", env_vars={"GUEST_WORD": "hello"})
other = upwell.TaskEnvironment("others")


@env.task
async def pid() -> int:
    return os.getpid()


@other.task
async def other_pid() -> int:
    return os.getpid()


@env.task
async def add(x: int, y: int = 1) -> int:
    return x + y


@env.task
def sync_add(x: int) -> int:
    return x + 1


@env.task
async def gathered(n: int) -> int:
    return sum(await asyncio.gather(*[add(i) for i in range(n)]))


@env.task
def sync_parent(n: int) -> int:
    return sum(sync_add(i) for i in range(n))


@env.task
def big(n: int) -> str:
    return "x" * n


@env.task
async def passes_on(n: int) -> int:
    return len(await big.aio(n))


@env.task
async def words() -> str:
    return os.environ["GUEST_WORD"]


@upwell.trace
async def noted(path: str, text: str) -> str:
    with Path(path).open("a") as file:  # noqa: ASYNC230  # a line
        file.write("traced\n")
    return text * 10_000


@upwell.trace
def noted_sync(path: str) -> int:
    with Path(path).open("a") as file:
        file.write("traced sync\n")
    return 3


@env.task(retries=1)
async def traces_then_fails_once(path: str) -> int:
    text = await noted(path, "y")
    three = noted_sync(path)
    if upwell.ctx().attempt == 1:
        raise ValueError("once")
    return len(text) + three


@env.task
async def raises() -> None:
    raise KeyError("missing")


@env.task
async def catches() -> str:
    try:
        await raises()
    except upwell.errors.RuntimeUserError as e:
        return f"{e.code}: {e}"
    return "nothing"


# --- crashes ------------------------------------------------------------------------------------------------


@env.task
async def segfaults() -> None:
    ctypes.string_at(0)


@env.task
async def exits_hard() -> None:
    os._exit(3)


@env.task
def exits() -> None:
    sys.exit("bye")


@env.task
async def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@env.task
def eats(mib: int) -> int:
    held = []
    for _ in range(mib):
        held.append(b"x" * 2**20)
        time.sleep(0.0005)
    return len(held)


@env.task(timeout=0.3)
def never_returns() -> None:
    while True:
        time.sleep(0.01)


@env.task
def sleeps_sync(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(60)


@env.task(timeout=0.3)
async def holds_the_interpreter() -> None:
    ctypes.PyDLL(None).usleep(30_000_000)


@env.task
async def holds_it_for(seconds: float) -> float:
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))
    return seconds


@env.task(retries=1)
async def crashes_once() -> int:
    if upwell.ctx().attempt == 1:
        os._exit(9)
    return 5


@env.task
async def meets(path: str, me: int, n: int) -> int:
    """Wait until all `n` are at work, so that they die together if one does."""
    Path(path, str(me)).touch()  # noqa: ASYNC240
    while len(os.listdir(path)) < n:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    if me == 0:
        os._exit(7)
    await asyncio.sleep(0.05)
    return me


@env.task
async def in_company(path: str, n: int) -> list[str]:
    results = await asyncio.gather(*[meets(path, i, n) for i in range(n)], return_exceptions=True)
    return [type(r).__name__ if isinstance(r, Exception) else str(r) for r in results]


@env.task
async def child_crashes() -> str:
    try:
        await exits_hard()
    except upwell.errors.ProcessDiedError as e:
        return str(e)
    return "nothing"


@env.task
async def cancels_a_sync_child(path: str) -> int:
    call = asyncio.create_task(sleeps_sync.aio(path))
    while not Path(path).exists() or not Path(path).read_text():  # noqa: ASYNC240,ASYNC110
        await asyncio.sleep(0.01)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    return int(Path(path).read_text())  # noqa: ASYNC240


@env.task
async def forever() -> None:
    await asyncio.Event().wait()


@env.task
async def leaves_children(n: int) -> str:
    calls = [asyncio.create_task(forever()) for _ in range(n)]
    await asyncio.wait(calls, timeout=0.3)
    return "left"


# --- ends that are harder to see ----------------------------------------------------------------------------

third = upwell.TaskEnvironment("thirds")


@third.task
async def third_pid() -> int:
    return os.getpid()


@env.task
async def leaves_a_process(path: str, daemon: bool) -> None:
    """Die, while a process that this one has forked has its files open."""
    if os.fork() == 0:
        if daemon:
            os.setsid()
        Path(path).write_text(str(os.getpid()))  # noqa: ASYNC240
        time.sleep(60)  # noqa: ASYNC251
        os._exit(0)
    while not Path(path).exists() or not Path(path).read_text():  # noqa: ASYNC240,ASYNC110
        await asyncio.sleep(0.005)
    os._exit(3)


@env.task
def closes_its_socket() -> None:
    """Live on, and hear nothing any more."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and "socket" in os.readlink(f"/proc/self/fd/{name}"):
            os.close(int(name))
    while True:
        time.sleep(1)


@env.task
async def loses_its_zygote() -> int:
    if upwell.ctx().attempt == 1:
        os.kill(os.getppid(), signal.SIGKILL)
        await asyncio.Event().wait()
    return upwell.ctx().attempt


# --- items of maps ------------------------------------------------------------------------------------------


@env.task
async def one_segfaults(x: int) -> int:
    if x == 5:
        ctypes.string_at(0)
    return x


@env.task
async def maps_a_segfault(n: int) -> list[str]:
    results = await upwell.map(one_segfaults, range(n), batch=n, return_exceptions=True)
    return [getattr(result, "code", str(result)) for result in results]


@env.task
async def dies_once(folder: str, x: int) -> int:
    with (Path(folder) / "notes").open("a") as notes:
        notes.write(f"{x}\n")
    if x == 5:
        await add(x)  # what was recorded before is written by the time that this is sent
        if (Path(folder) / "notes").read_text().split().count("5") == 1:
            os.kill(os.getpid(), signal.SIGKILL)
    return x


@env.task
async def maps_a_crash(folder: str) -> list[int]:
    return await upwell.map(partial(dies_once, folder), range(10), batch=10, concurrency=1)
