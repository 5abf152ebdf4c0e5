"""The calls of a map that are under way, and what came of those that are done."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from upwell.errors import RunawayRunError

T = TypeVar("T")


class Window(Generic[T]):
    """Runs calls of one item or several concurrently, and gives their results back in the order of their start.

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
        self._open: dict[asyncio.Task[Any], tuple[int, int]] = {}
        self._settled: dict[int, list[T | Exception]] = {}
        self._next: deque[T | Exception] = deque()
        self._raises_next = False
        self._started = 0
        self._taken = 0
        self._failure: BaseException | None = None
        self._failed_at: int | None = None
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
        return self._started == self._taken and not self._next

    @property
    def is_stream(self) -> bool:
        """Whether the results are taken as they come, so that there must not be too many of them."""
        return self._lookahead is not None

    @property
    def under_way(self) -> int:
        """Calls under way."""
        return len(self._open)

    @property
    def untaken(self) -> int:
        """Calls started and not taken yet."""
        return self._started - self._taken

    @property
    def is_ready(self) -> bool:
        """Whether `take` has something to give or to raise."""
        return bool(self._next) or self._taken in self._settled or self._failure is not None

    def start(self, call: Coroutine[Any, Any, T]) -> None:
        """Start a call of one item, in the current context."""
        self._start(call, 0)

    def start_many(self, call: Coroutine[Any, Any, list[T | Exception]], count: int) -> None:
        """Start a call of so many items, in the current context; it returns what came of each."""
        self._start(call, count)

    def _start(self, call: Coroutine[Any, Any, Any], count: int) -> None:
        task = asyncio.get_running_loop().create_task(call)
        self._open[task] = (self._started, count)
        self._started += 1
        task.add_done_callback(self._settle)

    def take(self) -> T | Exception:
        """Return the next result in order.

        Raises:
            BaseException: the failure that ended it all, after the results that came before it in order.
        """
        if not self._next and not self._raises_next and self._taken in self._settled:
            self._next.extend(self._settled.pop(self._taken))
            self._taken += 1
            self._raises_next = self._taken - 1 == self._failed_at
        if self._next:
            return self._next.popleft()
        assert self._failure is not None  # is_ready was asked before
        raise self._failure

    def take_ready(self) -> list[T | Exception]:
        """Return the results that are there in order, at least one.

        Raises:
            BaseException: as `take`.
        """
        results = [self.take()]
        while self._next:
            results.append(self._next.popleft())
        return results

    async def changed(self, within_s: float | None = None) -> None:
        """Wait until a call ends, or `wake`, or so long."""
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = None if within_s is None else loop.call_later(within_s, self.wake)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

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

    def _settle(self, task: asyncio.Task[Any]) -> None:
        index, count = self._open.pop(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self._keep(index, task.result() if count else [task.result()])
        elif isinstance(error, Exception):
            self._keep(index, [error])
        else:
            self._fail(index, error)
        self.wake()

    def _keep(self, index: int, results: list[T | Exception]) -> None:
        """Keep results, up to the first failure that ends it all."""
        for place, result in enumerate(results):
            if isinstance(result, Exception) and (self._fail_fast or isinstance(result, RunawayRunError)):
                if place:
                    self._settled[index] = results[:place]
                self._fail(index, result)
                return
        self._settled[index] = results

    def _fail(self, index: int, error: BaseException) -> None:
        if self._failure is None and not self._closing:
            self._failure, self._failed_at = error, index
            self._cancel()

    def _cancel(self) -> None:
        for task in self._open:
            task.cancel()
