"""Group commit: what arrives while a flush is in flight goes into the next one.

Nothing waits for company. At low load an item is flushed at once and alone; under load the requests fill up by
themselves, so one setting serves both.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context
from typing import Generic, TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")
Slot = tuple[T, "asyncio.Future[R]"]


class BatcherClosedError(RuntimeError):
    """Something was submitted after `aclose`."""


class Batcher(Generic[T, R]):
    """Collects single items into batches and gives each submitter its own result.

    Nothing is tied to an event loop between flushes: an idle batcher may be used from another loop.

    Args:
        flush: Carries out one batch and returns one result per item, in order. A result that is an exception is
            raised to that item's submitter alone; an exception that `flush` raises goes to all of the batch.
        at_once: Tries to carry out a batch without waiting for anything, which needs no asyncio task; None from
            it: that cannot be, and nothing was done, so `flush` does it.
        max_items: Items per batch.
        max_bytes: Bytes per batch; an item that is larger goes alone.
        size_of: Bytes of an item; needed with `max_bytes`.
        parallel: Flushes in flight at a time.
        patience_s: A batch that is not full starts beside others only if none of them has ended for so long:
            most often it fills up meanwhile, and goes when one ends.

    Example:
        >>> import asyncio
        >>> async def flush(items): return [item * 2 for item in items]
        >>> asyncio.run(Batcher(flush, max_items=25).submit(21))
        42
    """

    def __init__(
        self,
        flush: Callable[[list[T]], Awaitable[Sequence[R | Exception]]],
        *,
        max_items: int,
        at_once: Callable[[list[T]], Sequence[R | Exception] | None] | None = None,
        max_bytes: int | None = None,
        size_of: Callable[[T], int] | None = None,
        parallel: int = 1,
        patience_s: float = 0.0,
    ) -> None:
        if max_items < 1 or parallel < 1:
            raise ValueError(f"max_items={max_items} and parallel={parallel} must be at least 1")
        if (max_bytes is None) != (size_of is None):
            raise ValueError("max_bytes and size_of go together; give both or neither")
        self._flush = flush
        self._at_once = at_once
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._size_of = size_of
        self._parallel = parallel
        self._patience_s = patience_s
        self._patience: asyncio.TimerHandle | None = None
        self._pending: deque[Slot[T, R]] = deque()
        self._flushers: set[asyncio.Task[None]] = set()
        self._starting = False
        self._closed = False

    async def submit(self, item: T) -> R:
        """Flush an item with others and return its result.

        A submitter that is cancelled before its item is in a batch takes the item back; afterwards the item is
        flushed and the result dropped. The others notice nothing.

        Raises:
            BatcherClosedError: `aclose` was called.
        """
        return await self.put(item)

    def put(self, item: T) -> asyncio.Future[R]:
        """Have an item flushed with others and return its result to come; to cancel that is as in `submit`.

        Raises:
            BatcherClosedError: `aclose` was called.
        """
        if self._closed:
            raise BatcherClosedError("this batcher was closed; nothing can be submitted to it any more")
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._pending.append((item, result))
        self._start_flusher()
        return result

    async def aclose(self) -> None:
        """Flush what is pending, wait for it, and refuse what comes later."""
        self._closed = True
        while self._starting or self._flushers:
            await (asyncio.wait(self._flushers) if self._flushers else asyncio.sleep(0))

    def _start_flusher(self, *, overdue: bool = False) -> None:
        # A flusher that has not started yet will take what is pending: all submits of one turn of the event
        # loop get into its batch.
        if self._starting or len(self._flushers) >= self._parallel:
            return
        if self._flushers and self._patience_s and not overdue and len(self._pending) < self._max_items:
            if self._patience is None:
                loop = asyncio.get_running_loop()
                self._patience = loop.call_later(self._patience_s, self._lose_patience, context=Context())
            return
        self._starting = True
        # In a context of its own: a flush serves many submitters.
        context = Context()
        if self._at_once is None:
            self._begin_flusher(context)
        else:
            asyncio.get_running_loop().call_soon(self._flush_at_once, context, context=context)

    def _begin_flusher(self, context: Context) -> None:
        flusher = asyncio.get_running_loop().create_task(self._flush_pending(), context=context)
        self._flushers.add(flusher)
        flusher.add_done_callback(self._flusher_ended)

    def _flush_at_once(self, context: Context) -> None:
        assert self._at_once is not None  # else a flusher was begun
        self._starting = False
        while batch := self._take():
            try:
                answers = self._at_once([item for item, _ in batch])
            except Exception as e:
                _answer(batch, [e] * len(batch))
                continue
            except BaseException:
                _cancel(batch)
                self._cancel_pending()
                raise
            if answers is None:
                self._pending.extendleft(reversed(batch))
                self._starting = True
                self._begin_flusher(context)
                return
            _answer(batch, answers)

    def _lose_patience(self) -> None:
        self._patience = None
        if self._pending:
            self._start_flusher(overdue=True)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _flusher_ended(self, flusher: asyncio.Task[None]) -> None:
        self._flushers.discard(flusher)
        if flusher.cancelled() or flusher.exception() is not None:
            # The loop is being torn down, the flusher was cancelled before its first step, or what stops a
            # process (no `Exception`) came out of a flush: nobody would flush the rest.
            self._starting = False
            self._cancel_pending()

    def _cancel_pending(self) -> None:
        self._stop_waiting()
        _cancel(self._pending)
        self._pending.clear()

    async def _flush_pending(self) -> None:
        self._starting = False
        try:
            while batch := self._take():
                self._stop_waiting()  # what is left waits for this flush at most so long
                if self._pending:
                    self._start_flusher()
                await self._flush_batch(batch)
        finally:
            # Here and not in the callback, which comes a turn later: until then a submit would count on this
            # flusher, which takes nothing any more.
            self._flushers.discard(cast("asyncio.Task[None]", asyncio.current_task()))
            if not self._pending:
                self._stop_waiting()

    def _take(self) -> list[Slot[T, R]]:
        batch: list[Slot[T, R]] = []
        size_bytes = 0
        while self._pending and len(batch) < self._max_items:
            item, result = self._pending[0]
            if result.done():
                self._pending.popleft()
                continue
            if self._max_bytes is not None and self._size_of is not None:
                size_bytes += self._size_of(item)
                if batch and size_bytes > self._max_bytes:
                    break
            batch.append(self._pending.popleft())
        return batch

    async def _flush_batch(self, batch: list[Slot[T, R]]) -> None:
        try:
            answers = await self._flush([item for item, _ in batch])
        except Exception as e:
            answers = [e] * len(batch)
        except BaseException:
            _cancel(batch)
            raise
        _answer(batch, answers)


def _answer(batch: list[Slot[T, R]], answers: Sequence[R | Exception]) -> None:
    """Give each submitter of a batch its result."""
    if len(answers) != len(batch):
        answers = [RuntimeError(f"a flush of {len(batch)} items returned {len(answers)} results")] * len(batch)
    for (_, result), answer in zip(batch, answers, strict=True):
        if result.done():
            continue
        if isinstance(answer, Exception):
            result.set_exception(answer)
        else:
            result.set_result(answer)


def _cancel(slots: Iterable[Slot[T, R]]) -> None:
    for _, result in slots:
        result.cancel()
