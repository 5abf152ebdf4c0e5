"""Blobs that are compressed as they are written, and decompressed as they are read."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any

from upwell._types.transfers.transfer import AsyncReadable, AsyncWritable

_CHUNK_BYTES = 1 << 20
_SUFFIXES = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz"}
METHODS = ("gzip", "bz2", "xz")


def method_of(compression: str | None, name: str) -> str | None:
    """Return how a blob is compressed; None if it is not.

    Args:
        compression: `gzip`, `bz2`, `xz`; `infer` goes by the name.
        name: Of the blob.

    Raises:
        ValueError: there is no such method.
    """
    if compression == "infer":
        return next((method for suffix, method in _SUFFIXES.items() if name.endswith(suffix)), None)
    if compression is not None and compression not in METHODS:
        raise ValueError(f"compression={compression!r} is not one of {', '.join(METHODS)} and infer")
    return compression


def _decompressor(method: str) -> Callable[[], Any]:
    if method == "gzip":
        import zlib

        return lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)
    if method == "bz2":
        import bz2

        return bz2.BZ2Decompressor
    import lzma

    return lzma.LZMADecompressor


def _compressor(method: str) -> Any:
    if method == "gzip":
        import zlib

        return zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    if method == "bz2":
        import bz2

        return bz2.BZ2Compressor()
    import lzma

    return lzma.LZMACompressor()


class DecompressingReader:
    """`AsyncReadable` of what a compressed blob holds; several members one after the other are one content."""

    def __init__(self, source: AsyncReadable, method: str) -> None:
        self._source = source
        self._fresh = _decompressor(method)
        self._stream = self._fresh()
        self._ready = bytearray()
        self._position = 0

    async def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, all that is left for -1."""
        while size < 0 or len(self._ready) < size:
            chunk = await self._source.read(_CHUNK_BYTES)
            if not chunk:
                break
            self._ready += await asyncio.to_thread(self._decompressed, chunk)
        count = len(self._ready) if size < 0 else min(size, len(self._ready))
        taken = bytes(self._ready[:count])
        del self._ready[:count]
        self._position += count
        return taken

    async def seek(self, offset: int, whence: int = 0) -> int:
        """Move forward by reading, or back by reading from the start.

        Raises:
            ValueError: relative to the end, which is not known.
        """
        if whence == io.SEEK_END:
            raise ValueError("seek relative to the end is not possible in what is compressed")
        target = offset + (self._position if whence == io.SEEK_CUR else 0)
        if target < self._position:
            await self._source.seek(0)
            self._stream, self._position = self._fresh(), 0
            self._ready.clear()
        while self._position < target and await self.read(min(target - self._position, _CHUNK_BYTES)):
            pass
        return self._position

    async def close(self) -> None:
        """Close the blob."""
        await self._source.close()

    def _decompressed(self, chunk: bytes) -> bytes:
        pieces = []
        while chunk:
            if self._stream.eof:
                self._stream = self._fresh()
            pieces.append(self._stream.decompress(chunk))
            chunk = self._stream.unused_data
        return b"".join(pieces)


class CompressingWriter:
    """`AsyncWritable` that compresses what is written to a blob."""

    def __init__(self, target: AsyncWritable, method: str) -> None:
        self._target = target
        self._stream = _compressor(method)

    async def write(self, data: bytes) -> None:
        """Append bytes."""
        if packed := await asyncio.to_thread(self._stream.compress, data):
            await self._target.write(packed)

    async def close(self) -> str:
        """Make the blob visible, and return the digest of what is in it."""
        await self._target.write(self._stream.flush())
        return await self._target.close()

    async def abort(self) -> None:
        """Forget what was written."""
        await self._target.abort()
