"""An object open for writing: parts are sent while the next are written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from upwell._types.transfer import CONTENT_HASH

Put = Callable[[Any, bool], Awaitable[None]]
"""Puts an object: its content, or its parts one by one; and whether these are many."""


class _AbandonedError(Exception):
    """The writer has given up; what was sent is to be forgotten."""


class PartWriter:
    """`AsyncWritable` that holds a part at most, besides those on their way.

    Args:
        put: Sends the content. When what it iterates over raises, nothing is left of it.
        part_bytes: What is smaller is one request, made at the end.
    """

    def __init__(self, put: Put, part_bytes: int) -> None:
        self._put = put
        self._part_bytes = part_bytes
        self._pending = bytearray()
        self._hash = CONTENT_HASH()
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._sending: asyncio.Task[None] | None = None
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
            self._hash.update(last)
            await self._put(last, False)
        else:
            if last:
                await self._send(last)
            await self._hand_over(None)
            await self._sending
        return self._hash.hexdigest()

    async def abort(self) -> None:
        """Have what was sent forgotten."""
        self._pending.clear()
        self._is_abandoned = True
        if self._sending is None:
            return
        if not self._sending.done():
            await self._hand_over(None)
        await asyncio.gather(self._sending, return_exceptions=True)

    async def _send(self, part: bytes) -> None:
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())
        await asyncio.to_thread(self._hash.update, part)
        await self._hand_over(part)

    async def _hand_over(self, part: bytes | None) -> None:
        """Give a part to what sends them; if that has failed, raise what of instead of waiting for ever."""
        assert self._sending is not None  # its callers' condition
        taken = asyncio.create_task(self._parts.put(part))
        await asyncio.wait({taken, self._sending}, return_when=asyncio.FIRST_COMPLETED)
        if not taken.done():
            taken.cancel()
            if not self._is_abandoned:
                self._sending.result()

    async def _send_all(self) -> None:
        await self._put(self._iterate(), True)

    async def _iterate(self) -> AsyncIterator[bytes]:
        while True:
            part = await self._parts.get()
            if self._is_abandoned:
                raise _AbandonedError
            if part is None:
                return
            yield part
