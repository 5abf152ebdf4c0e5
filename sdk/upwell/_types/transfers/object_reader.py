"""An object open for reading: ranges, and the next one on its way while the last is used."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from upwell._types.transfers.object_errors import shown

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

FIRST_BLOCK_BYTES = 1 << 20
"""Least size of a read from the store; smaller ones are served from what is left of it."""
MAX_BLOCK_BYTES = 8 << 20
"""What blocks grow to while a blob is read in order."""

Answer = tuple["ObjectMeta", bytes]
"""What is known of an object, and bytes of it."""
Fetch = Callable[["GetOptions", "int | None"], Awaitable[Answer]]
"""Gets an object, or at least so many of its first bytes."""


class Version:
    """One version of an object: all that is read of it must be of this one.

    Attributes:
        size: Bytes of it.
        match: The tag that a server can be asked to match; None where there is none, or a weak one, which
            matches nothing.
    """

    def __init__(self, uri: str, found: ObjectMeta) -> None:
        self._uri = uri
        self._etag = found["e_tag"]
        self.size = found["size"]
        self.match = None if self._etag is None or self._etag.startswith("W/") else self._etag

    def check(self, found: ObjectMeta) -> None:
        """Raise OSError if an answer is of another version, as of servers that match nothing."""
        if (found["size"], found["e_tag"]) != (self.size, self._etag):
            raise OSError(f"{shown(self._uri)!r} was replaced while it was read; read it again")


class RangeReader:
    """`AsyncReadable` over range reads of one version of an object.

    It holds two blocks at most: the one that is read, and the next, which is fetched meanwhile.
    """

    def __init__(self, uri: str, fetch: Fetch, found: ObjectMeta, first: bytes, block_bytes: int) -> None:
        self._uri = uri
        self._fetch = fetch
        self._version = Version(uri, found)
        self._size = self._version.size
        self._block_bytes = block_bytes
        self._grows = block_bytes == FIRST_BLOCK_BYTES
        self._position = 0
        self._block = memoryview(first)
        self._block_at = 0
        self._next: asyncio.Task[bytes] | None = None

    @classmethod
    async def open(cls, uri: str, fetch: Fetch, block_bytes: int | None) -> RangeReader:
        """Open an object: its first block comes with the same request that tells its size."""
        wanted = block_bytes or FIRST_BLOCK_BYTES
        found, first = await fetch({}, wanted)
        return cls(uri, fetch, found, first, wanted)

    async def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, all that is left for -1."""
        left = max(self._size - self._position, 0)
        wanted = left if size < 0 else min(size, left)
        pieces: list[bytes] = []
        while wanted:
            start = self._position - self._block_at
            if not 0 <= start < len(self._block):
                await self._load()
                continue
            piece = bytes(self._block[start : start + wanted])
            pieces.append(piece)
            self._position += len(piece)
            wanted -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position; nothing is read before the next `read`."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to {base + offset}, before the start of {shown(self._uri)!r}")
        self._position = base + offset
        return self._position

    async def close(self) -> None:
        """Let go of what is held and on its way."""
        self._block = memoryview(b"")
        await self._forget_next()

    async def _load(self) -> None:
        """Make the block at the position the current one; what is read in order is fetched ahead."""
        in_order = self._position == self._block_at + len(self._block)
        if in_order and self._next is not None:
            ahead, self._next = self._next, None
            data = await ahead
        else:
            await self._forget_next()
            if self._grows and not in_order:
                self._block_bytes = FIRST_BLOCK_BYTES
            data = await self._get(self._position)
        self._block, self._block_at = memoryview(data), self._position
        following = self._block_at + len(data)
        if in_order and following < self._size:
            if self._grows:
                self._block_bytes = min(self._block_bytes * 2, MAX_BLOCK_BYTES)
            self._next = asyncio.ensure_future(self._get(following))

    async def _get(self, start: int) -> bytes:
        end = min(start + self._block_bytes, self._size)
        options: GetOptions = {"range": (start, end), "if_match": self._version.match}
        found, data = await self._fetch(options, None)
        self._version.check(found)
        if len(data) != end - start:
            raise OSError(f"{shown(self._uri)!r}: got {len(data):,} of {end - start:,} bytes; try again")
        return data

    async def _forget_next(self) -> None:
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)
            self._next = None
