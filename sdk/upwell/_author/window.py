"""The calls of a map that are under way, and what came of those that are done."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from upwell.errors import RunawayRunError

T = TypeVar("T")


class Window(Generic[T]):
    """Runs calls concurrently and gives their results back in the order of their start.

    Used on one event loop; only `room` may be read from another thread.

    Args:
        limit: Calls under way at once.
        lookahead: Calls started and not taken yet, so that one slow call neither stops the others nor lets
            results pile up without end; None is unlimited.
        fail_fast: Whether the first failure cancels all others and is raised; otherwise failures are
            results, but for a `RunawayRunError`: the run must end.
    """

    def __init__(self, limit: int, lookahead: int | None, *, fail_fast: bool) -> None:
        self._limit = limit
        self._lookahead = lookahead
        self._fail_fast = fail_fast
        self._open: dict[asyncio.Task[T], int] = {}
        self._settled: dict[int, T | Exception] = {}
        self._started = 0
        self._taken = 0
        self._failure: BaseException | None = None
        self._closing = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def room(self) -> int:
        """How many more calls may start now."""
        if self._failure is not None:
            return 0
        room = self._limit - len(self._open)
        if self._lookahead is not None:
            room = min(room, self._lookahead - (self._started - self._taken))
        return max(0, room)

    @property
    def is_empty(self) -> bool:
        """Whether every call that was started has been taken."""
        return self._started == self._taken

    @property
    def is_ready(self) -> bool:
        """Whether `take` has something to give or to raise."""
        return self._taken in self._settled or self._failure is not None

    def start(self, call: Coroutine[Any, Any, T]) -> None:
        """Start a call, in the current context."""
        task = asyncio.get_running_loop().create_task(call)
        self._open[task] = self._started
        self._started += 1
        task.add_done_callback(self._settle)

    def take(self) -> T | Exception:
        """Return the next result in order.

        Raises:
            BaseException: the failure that ended it all, after the results that came before it in order.
        """
        if self._taken in self._settled:
            result = self._settled.pop(self._taken)
            self._taken += 1
            return result
        assert self._failure is not None  # is_ready was asked before
        raise self._failure

    async def changed(self) -> None:
        """Wait until a call ends, or `wake`."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def wake(self, _: object = None) -> None:
        """End a wait of `changed`."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def close(self) -> None:
        """Cancel what is under way and wait until it has ended."""
        self._closing = True
        while self._open:
            self._cancel()
            await asyncio.wait(list(self._open))

    def _settle(self, task: asyncio.Task[T]) -> None:
        index = self._open.pop(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self._settled[index] = task.result()
        elif isinstance(error, Exception) and not (self._fail_fast or isinstance(error, RunawayRunError)):
            self._settled[index] = error
        elif self._failure is None and not self._closing:
            self._failure = error
            self._cancel()
        self.wake()

    def _cancel(self) -> None:
        for task in self._open:
            task.cancel()
