"""Threads for sync tasks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def in_thread(func: Callable[[], T], *, name: str) -> T:
    """Run a function in a thread of its own and return its result.

    The thread is a daemon: one that its attempt has given up (a timeout, an abort) cannot be stopped, and must
    not keep the process from ending. How many run at once is bounded by slots, not here.
    """
    result: Future[T] = Future()

    def work() -> None:
        if not result.set_running_or_notify_cancel():
            return
        try:
            result.set_result(func())
        except BaseException as e:
            result.set_exception(e)

    threading.Thread(target=work, name=name, daemon=True).start()
    return await asyncio.wrap_future(result)
