"""A task fanned out over iterables: awaited for a list, or iterated over."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Generator, Iterable, Sized
from contextlib import aclosing
from typing import Any, Generic, TypeVar

from upwell import errors
from upwell._author import context
from upwell._author.blocking import is_on_a_loop, settle
from upwell._author.map_batches import LOOKAHEAD, Batch, Feeder
from upwell._author.map_source import AnyIterable, AsyncSource, Items, SyncSource, is_async_iterable, zip_async
from upwell._author.map_target import MapTarget
from upwell._author.unset import Unset
from upwell._author.window import Window

ListT = TypeVar("ListT", covariant=True)
ItemT = TypeVar("ItemT", covariant=True)

CONCURRENCY_MAX = 1000
"""Calls of one map that are under way at once without `concurrency=`: the engine bounds them as well, but each
costs an asyncio task here."""


class MapCall(Generic[ListT, ItemT]):
    """A map that has not started: `await` it for a list, or iterate over it, with `for` or `async for`.

    Each time it is awaited or iterated over, it starts anew, from the iterables as they are then.
    """

    def __init__(
        self,
        target: MapTarget,
        iterables: tuple[AnyIterable, ...],
        *,
        group: str,
        concurrency: int,
        return_exceptions: bool | Unset,
        batch: Batch = "auto",
    ) -> None:
        self._target = target
        self._iterables = iterables
        self._group = group
        self._concurrency = concurrency
        self._limit = concurrency or CONCURRENCY_MAX
        self._batch = batch
        self._return_exceptions = return_exceptions
        self._is_async = any(is_async_iterable(iterable) for iterable in iterables)

    def __repr__(self) -> str:
        return f"<map of {self._target.task.name}>"

    # --- the three ways -----------------------------------------------------------------------------------

    def __await__(self) -> Generator[Any, None, list[ListT]]:
        return self._collect().__await__()

    def __aiter__(self) -> AsyncGenerator[ItemT, None]:
        return self._results(self._fail_fast_stream, self._lookahead)

    def __iter__(self) -> Generator[ItemT, None, None]:
        engine = context.engine()
        if engine is None:
            yield from self._plain(self._fail_fast_stream)
            return
        self._target.task.refuse_in_trace()
        if is_on_a_loop():
            raise errors.SyncTaskCallInAsyncContextError(
                f"`for` over {self!r} would block async code; use `async for`, or `await` it for a list"
            )
        yield from self._drive(engine) if self._is_async else self._pump(engine)

    @property
    def _fail_fast_stream(self) -> bool:
        return self._return_exceptions is False

    @property
    def _lookahead(self) -> int:
        return LOOKAHEAD * self._limit

    # --- in async code ------------------------------------------------------------------------------------

    async def _collect(self) -> list[ListT]:
        fail_fast = self._return_exceptions is not True
        async with aclosing(self._results(fail_fast, None)) as results:
            return [result async for result in results]

    def _results(self, fail_fast: bool, lookahead: int | None) -> AsyncGenerator[Any, None]:
        engine = context.engine()
        if engine is None:
            return self._plain_async(fail_fast)
        return self._stream(engine, Window(self._limit, lookahead, fail_fast=fail_fast))

    async def _stream(self, engine: context.Engine, window: Window[Any]) -> AsyncGenerator[Any, None]:
        self._target.task.refuse_in_trace()
        engine.map_begins(self._target.task.name)
        source = AsyncSource(self._iterables) if self._is_async else SyncSource(self._sync_iterables())
        feeder = self._feeder(engine, window)
        try:
            while True:
                source.fill(feeder, window.wake)
                if window.is_ready:
                    yield window.take()
                elif source.is_exhausted and window.is_empty and feeder.is_empty:
                    engine.map_ends(self._target.task.name)
                    return
                else:
                    await window.changed(None if source.is_exhausted else feeder.pause_s)
        finally:
            await source.close()
            await window.close()

    def _feeder(self, engine: context.Engine, window: Window[Any]) -> Feeder:
        sized = [iterable for iterable in self._iterables if isinstance(iterable, Sized)]
        return Feeder(
            self._target,
            engine,
            window,
            group=self._group,
            batch=self._batch,
            concurrency=self._concurrency,
            total=min(map(len, sized)) if len(sized) == len(self._iterables) else None,
        )

    def _sync_iterables(self) -> list[Iterable[Any]]:
        return [iterable for iterable in self._iterables if isinstance(iterable, Iterable)]

    # --- in the thread of a sync task ---------------------------------------------------------------------

    def _drive(self, engine: context.Engine) -> Generator[Any, None, None]:
        """Iterate in a thread over what the engine's loop reads and runs."""
        results = self._results(self._fail_fast_stream, self._lookahead)

        async def advance() -> list[Any]:
            try:
                return [await anext(results)]
            except StopAsyncIteration:
                return []

        try:
            while result := engine.block_on(advance()):
                yield result[0]
        finally:
            settle(engine, results.aclose())

    def _pump(self, engine: context.Engine) -> Generator[Any, None, None]:
        """Iterate in a thread that reads the iterables itself: they may do whatever sync code does."""
        window: Window[Any] = Window(self._limit, self._lookahead, fail_fast=self._fail_fast_stream)
        source = SyncSource(self._sync_iterables())
        feeder = self._feeder(engine, window)
        engine.map_begins(self._target.task.name)
        try:
            while True:
                pulled = source.pull(feeder.room)
                results = engine.block_on(self._advance(window, source, feeder, pulled))
                if results is None:
                    engine.map_ends(self._target.task.name)
                    return
                yield from results
        finally:
            settle(engine, window.close())

    async def _advance(
        self, window: Window[Any], source: SyncSource, feeder: Feeder, pulled: list[Items]
    ) -> list[Any] | None:
        """Start calls, then wait for results, or for room if there is more to read, or for the end (None)."""
        for items in pulled:
            feeder.push(items)
        while True:
            feeder.start_full()
            if source.is_exhausted:
                feeder.nothing_to_read(at_end=True)
            if window.is_ready:
                return window.take_ready()
            if source.is_exhausted and window.is_empty and feeder.is_empty:
                return None
            if feeder.room and not source.is_exhausted:
                return []
            await window.changed(None if source.is_exhausted else feeder.pause_s)

    # --- outside a run ------------------------------------------------------------------------------------

    def _plain(self, fail_fast: bool) -> Generator[Any, None, None]:
        if self._target.task.is_async or self._is_async:
            raise errors.UsageError(
                f"`for` over {self!r} cannot await anything outside a run; use `await` or `async for`"
            )
        for items in zip(*self._sync_iterables(), strict=False):
            try:
                result = self._target.plain(items)
            except Exception as e:
                if fail_fast:
                    raise
                result = e
            yield result

    async def _plain_async(self, fail_fast: bool) -> AsyncGenerator[Any, None]:
        async for items in zip_async(self._iterables):
            try:
                result = self._target.plain(items)
                if inspect.isawaitable(result):
                    result = await result
            except Exception as e:
                if fail_fast:
                    raise
                result = e
            yield result
