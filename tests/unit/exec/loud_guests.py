"""Tasks that print, for tests of user processes; a file of its own, because those processes import it."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import subprocess
import sys
import threading

import upwell

env = upwell.TaskEnvironment("loud", secrets=["loud-token"])


@env.task
async def talks(name: str) -> int:
    for n in range(20):
        print(name, end=" ")
        await asyncio.sleep(0)
        print(n)
    return os.getpid()


@env.task
async def at_once() -> list[int]:
    return await asyncio.gather(*(talks(f"talker{n}") for n in range(4)))


@env.task
def logs() -> None:
    logging.getLogger("mine").info("is %s", "info")
    upwell.logger.warning("watch out")
    print("to stderr", file=sys.stderr)


@env.task
def past_python() -> None:
    print("first")
    subprocess.run(["echo", f"a subprocess has {os.environ['LOUD_TOKEN']}"], check=True)
    ctypes.CDLL(None).puts(b"C code")
    ctypes.CDLL(None).fflush(None)
    os.write(2, b"bytes without end")
    thread = threading.Thread(target=print, args=("a thread",))
    thread.start()
    thread.join()


@env.task
async def tells_the_rest() -> None:
    os.write(1, f"{os.environ['LOUD_TOKEN'][7:]} and more\n".encode())


@env.task
async def begins_to_tell() -> None:
    os.write(1, f"the token is {os.environ['LOUD_TOKEN'][:7]}".encode())
    await tells_the_rest()


@env.task
def dies(how: str) -> None:
    print("the last words")
    print(f"the token is {os.environ['LOUD_TOKEN']}")
    if how == "exit":
        os._exit(3)
    ctypes.string_at(0)


@env.task
def never_stops(lines: int) -> None:
    for n in range(lines):
        print("line", n)


@env.task
def leaves_a_writer() -> None:
    subprocess.Popen(["yes", "from a child that nobody ends"])


@env.task
def forks() -> None:
    pid = os.fork()
    if pid == 0:
        print("the fork")
        os._exit(0)
    os.waitpid(pid, 0)
    print("the parent")
