"""The sync edge of async code: one background event loop per process, usable from any thread."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextvars
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
V = TypeVar("V")


class BlockingRunner:
    """Runs coroutines to their end for callers that are not async.

    The caller's thread waits, whatever it is: a plain script, a worker thread, or the thread of a running
    event loop, whose other work then waits too. Context variables of the caller hold in the coroutine.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return a coroutine's result, or raise what it raised."""
        loop = self._running_loop()
        if threading.current_thread() is self._thread:  # called by code that the coroutine itself runs
            with concurrent.futures.ThreadPoolExecutor(1) as threads:
                return threads.submit(contextvars.copy_context().run, asyncio.run, coroutine).result()
        done: concurrent.futures.Future[T] = concurrent.futures.Future()
        started: list[asyncio.Task[None]] = []
        loop.call_soon_threadsafe(
            lambda: started.append(loop.create_task(_settle(coroutine, done))),
            context=contextvars.copy_context(),
        )
        try:
            return done.result()
        except KeyboardInterrupt:
            loop.call_soon_threadsafe(lambda: [task.cancel() for task in started])
            raise

    def close(self) -> None:
        """Stop the loop; a later `run` starts another."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def forget(self) -> None:
        """Drop the loop in a forked child, where its thread is not."""
        self._lock, self._loop, self._thread = threading.Lock(), None, None

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="upwell-io", daemon=True)
                self._thread.start()
            return self._loop


async def _settle(coroutine: Coroutine[Any, Any, T], done: concurrent.futures.Future[T]) -> None:
    try:
        result = await coroutine
    except BaseException as e:
        done.set_exception(e)
        if not isinstance(e, Exception):
            raise
    else:
        done.set_result(result)


_runner = BlockingRunner()
atexit.register(_runner.close)
os.register_at_fork(after_in_child=_runner.forget)


def run_blocking(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return a coroutine's result from code that is not async; see `BlockingRunner`."""
    return _runner.run(coroutine)


async def off_loop(call: Callable[[V], T], value: V, *, is_slow: bool) -> T:
    """Return what a function makes of a value; a slow one runs in a thread, so that the loop goes on."""
    return await asyncio.to_thread(call, value) if is_slow else call(value)
