"""An object open for writing: parts are sent while the next are written."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from upwell._types.transfers.transfer import CONTENT_HASH

Put = Callable[["bytes | Iterator[bytes]"], None]
"""Puts an object, given its content or its parts one by one; this blocks."""


class _AbandonedError(Exception):
    """The writer has given up; what was sent is to be forgotten."""


class PartWriter:
    """`AsyncWritable` that holds two parts at most, besides those on their way.

    Args:
        put: Sends the content. When what it iterates over raises, nothing is left of it.
        part_bytes: What is smaller is one request, made at the end.
    """

    def __init__(self, put: Put, part_bytes: int) -> None:
        self._put = put
        self._part_bytes = part_bytes
        self._pending = bytearray()
        self._content = CONTENT_HASH()
        self._parts: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._sending: asyncio.Future[None] | None = None
        self._room = asyncio.Semaphore(1)
        self._is_abandoned = False

    async def write(self, data: bytes) -> None:
        """Append bytes; waits while as many parts are on their way as may be."""
        view = memoryview(data)
        while len(self._pending) + len(view) >= self._part_bytes:
            room = self._part_bytes - len(self._pending)
            part = bytes(self._pending) + bytes(view[:room]) if self._pending else bytes(view[:room])
            self._pending.clear()
            view = view[room:]
            await self._send(part)
        self._pending += view

    async def close(self) -> str:
        """Send what is left and make the object visible."""
        last = bytes(self._pending)
        self._pending.clear()
        if self._sending is None:
            self._content.update(last)
            await _in_own_thread(lambda: self._put(last))
        else:
            if last:
                await self._send(last)
            self._parts.put(None)
            await self._sending
        return self._content.hexdigest()

    async def abort(self) -> None:
        """Have what was sent forgotten."""
        self._pending.clear()
        self._is_abandoned = True
        self._parts.put(None)
        if self._sending is not None:
            await asyncio.wait({self._sending})
            self._sending.exception()  # it is told by what led to this

    async def _send(self, part: bytes) -> None:
        if self._sending is None:
            loop = asyncio.get_running_loop()
            self._sending = _in_own_thread(lambda: self._put(self._iterate(loop)))
        room = asyncio.ensure_future(self._room.acquire())
        both: set[asyncio.Future[Any]] = {room, self._sending}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not room.done():
            room.cancel()
            self._sending.result()  # raises what it has failed of
        self._parts.put(part)

    def _iterate(self, loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
        while True:
            part = self._parts.get()
            if self._is_abandoned:
                raise _AbandonedError
            if part is None:
                return
            loop.call_soon_threadsafe(self._room.release)
            self._content.update(part)
            yield part


def _in_own_thread(work: Callable[[], None]) -> asyncio.Future[None]:
    """Run something in a thread of its own: it waits for who writes, and must not keep others waiting."""
    threads = ThreadPoolExecutor(1, thread_name_prefix="upwell-io-writer")
    running = asyncio.get_running_loop().run_in_executor(threads, work)
    threads.shutdown(wait=False)
    return running
