"""The items of a map: iterables zipped, read only as far as there is room for calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator, Sequence
from typing import Any

from upwell._author.map_batches import Feeder

Items = tuple[Any, ...]
AnyIterable = Iterable[Any] | AsyncIterable[Any]
FILL_SLICE_S = 0.05
"""How long items are read and fed before other work on the loop gets its turn."""
PULL_SLICE_S = 0.005
"""How long a thread reads on before it starts the calls for what it has read: a slow iterable holds up none."""


class SyncSource:
    """Items of ordinary iterables."""

    def __init__(self, iterables: Sequence[Iterable[Any]]) -> None:
        self._items: Iterator[Items] = zip(*iterables, strict=False)
        self.is_exhausted = False

    def fill(self, feeder: Feeder, wake: Callable[[object], None]) -> None:
        """Feed the next items, as many as there is room for."""
        until = time.perf_counter() + FILL_SLICE_S
        feeder.start_full()
        while feeder.room and not self.is_exhausted:
            for items in self.pull(feeder.room):
                feeder.push(items)
            if time.perf_counter() > until:
                asyncio.get_running_loop().call_soon(wake, None)  # let others run before there is more
                break
        if self.is_exhausted:
            feeder.nothing_to_read(at_end=True)

    def pull(self, room: int) -> list[Items]:
        """Return the next items, at most so many, without reading for long."""
        until = time.perf_counter() + PULL_SLICE_S
        pulled: list[Items] = []
        while len(pulled) < room:
            try:
                pulled.append(next(self._items))
            except StopIteration:
                self.is_exhausted = True
                break
            if time.perf_counter() > until:
                break
        return pulled

    async def close(self) -> None:
        """Nothing is under way."""


class AsyncSource:
    """Items of iterables of which at least one is async; one read is under way at a time."""

    def __init__(self, iterables: Sequence[AnyIterable]) -> None:
        self._items = zip_async(iterables)
        self._read: asyncio.Task[Items | None] | None = None
        self.is_exhausted = False

    def fill(self, feeder: Feeder, wake: Callable[[object], None]) -> None:
        """Feed what was read, and read on if there is room; its end wakes the window."""
        if self._read is not None and self._read.done():
            items, self._read = self._read.result(), None
            if items is None:
                self.is_exhausted = True
            else:
                feeder.push(items)
        feeder.start_full()
        if self._read is None and feeder.room and not self.is_exhausted:
            self._read = asyncio.get_running_loop().create_task(self._next())
            self._read.add_done_callback(wake)
        if self.is_exhausted or self._read is not None:
            feeder.nothing_to_read(at_end=self.is_exhausted)

    async def close(self) -> None:
        """Stop reading."""
        if self._read is not None:
            self._read.cancel()
            await asyncio.wait([self._read])
            if not self._read.cancelled():
                self._read.exception()  # seen: nobody else will ask for it
        await self._items.aclose()

    async def _next(self) -> Items | None:
        return await anext(self._items, None)


def is_async_iterable(iterable: object) -> bool:
    """Whether it is read with `async for`."""
    return hasattr(iterable, "__aiter__")


async def zip_async(iterables: Sequence[AnyIterable]) -> AsyncGenerator[Items, None]:
    """Yield tuples of items of iterables, async or not, until the shortest ends."""
    iterators = [aiter(i) if isinstance(i, AsyncIterable) else iter(i) for i in iterables]
    while True:
        items = []
        for iterator in iterators:
            try:
                items.append(next(iterator) if isinstance(iterator, Iterator) else await anext(iterator))
            except (StopIteration, StopAsyncIteration):
                return
        yield tuple(items)
