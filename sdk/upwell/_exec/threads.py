"""Threads for sync tasks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class TaskThread(Generic[T]):
    """Runs a function in a thread of its own.

    The thread is a daemon: one that its attempt has given up (a timeout, an abort) cannot be stopped, and must
    not keep the process from ending. How many run at once is bounded by slots, not here.
    """

    def __init__(self, func: Callable[[], T], *, name: str) -> None:
        self._result: Future[T] = Future()
        self.cpu_s = 0.0
        """What the function has computed, once it is over."""
        self._thread = threading.Thread(target=self._work, args=(func,), name=name, daemon=True)

    async def run(self) -> T:
        """Return the function's result."""
        self._thread.start()
        return await asyncio.wrap_future(self._result)

    async def is_alive(self, after_s: float) -> bool:
        """Whether the function still runs when so many seconds have passed."""
        if self._result.done():
            return False
        await asyncio.to_thread(self._thread.join, after_s)
        return self._thread.is_alive()

    def _work(self, func: Callable[[], T]) -> None:
        result = self._result
        if not result.set_running_or_notify_cancel():
            return
        try:
            value = func()
        except BaseException as e:
            self.cpu_s = time.thread_time()
            result.set_exception(e)
        else:
            self.cpu_s = time.thread_time()
            result.set_result(value)
