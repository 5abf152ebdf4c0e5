"""Sync tasks from async code, async tasks from sync code, and functions called as they are."""

import asyncio
import threading

import upwell
from upwell.errors import SyncTaskCallInAsyncContextError

env = upwell.TaskEnvironment("sync_and_async")


@env.task
def blocking(x: int) -> bool:
    return threading.current_thread() is not threading.main_thread()


@env.task
async def double(x: int) -> int:
    return 2 * x


@env.task
def sync_parent(x: int) -> int:
    return asyncio.run(both(x))


async def both(x: int) -> int:
    return sum(await asyncio.gather(double(x), double(x + 1)))


@env.task
async def main() -> list[str]:
    seen = [str(await blocking.aio(1)), str(await double.aio(2))]
    try:
        blocking(1)
    except SyncTaskCallInAsyncContextError as e:
        seen.append(e.code)
    seen.append(str(await asyncio.to_thread(sync_parent.forward, 3)))
    seen.append(str(await sync_parent.aio(10)))
    return seen


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
