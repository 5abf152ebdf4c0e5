"""Open files: async ones, and the standard library's blocking ones on top of the same transfers."""

from __future__ import annotations

import codecs
import io
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import IO, Any, Generic, TypeVar

from upwell._types.raw_files import RawReader, RawWriter
from upwell._types.transfers.transfer import AsyncReadable, AsyncWritable

Content = TypeVar("Content", bytes, str)

_CHUNK_BYTES = 1 << 20
_MODES = {"r", "rb", "rt", "w", "wb", "wt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """How a file is opened."""

    is_write: bool
    is_text: bool

    @classmethod
    def parse(cls, mode: str) -> Mode:
        """Read a mode string.

        Raises:
            ValueError: blobs cannot be opened like that.
        """
        if mode not in _MODES:
            raise ValueError(
                f"mode {mode!r} is not one of {sorted(_MODES)}; blobs are read or replaced as a whole"
            )
        return cls(is_write="w" in mode, is_text="b" not in mode)


class AsyncReadFile(Generic[Content]):
    """A file open for reading: `await f.read()`, `async for line in f`. Text is UTF-8."""

    def __init__(self, source: AsyncReadable, *, is_text: bool) -> None:
        self._source = source
        self._empty: Any = "" if is_text else b""
        self._newline: Any = "\n" if is_text else b"\n"
        self._decoder = codecs.getincrementaldecoder("utf-8")() if is_text else None
        self._pending: Any = self._empty
        self._is_at_end = False

    async def read(self, size: int = -1) -> Content:
        """Return up to `size` bytes (characters in text mode), all that is left for -1."""
        while not self._is_at_end and (size < 0 or len(self._pending) < size):
            await self._fill(-1 if size < 0 else max(size - len(self._pending), 1))
        return self._take(len(self._pending) if size < 0 else size)

    async def readline(self) -> Content:
        """Return the next line with its newline; nothing at the end."""
        searched = 0
        while (end := self._pending.find(self._newline, searched)) < 0 and not self._is_at_end:
            searched = len(self._pending)
            await self._fill(_CHUNK_BYTES)
        return self._take(end + 1 if end >= 0 else len(self._pending))

    async def readlines(self) -> list[Content]:
        """Return the lines that are left."""
        return [line async for line in self]

    async def __aiter__(self) -> AsyncIterator[Content]:
        while line := await self.readline():
            yield line

    async def seek(self, offset: int, whence: int = 0) -> int:
        """Move to an offset in bytes and return it.

        Raises:
            ValueError: relative to the position, which reading ahead has moved.
        """
        if whence == io.SEEK_CUR:
            raise ValueError("seek relative to the position is not possible; seek from the start (whence=0)")
        self._pending, self._is_at_end = self._empty, False
        if self._decoder:
            self._decoder.reset()
        return await self._source.seek(offset, whence)

    async def close(self) -> None:
        """Close the file."""
        await self._source.close()

    async def _fill(self, size: int) -> None:
        data = await self._source.read(size)
        self._is_at_end = size < 0 or not data
        self._pending += self._decoder.decode(data, final=self._is_at_end) if self._decoder else data

    def _take(self, count: int) -> Content:
        taken: Content = self._pending[:count]
        self._pending = self._pending[count:]
        return taken


class AsyncWriteFile(Generic[Content]):
    """A file open for writing: `await f.write(...)`. It appears when the block ends without an error."""

    def __init__(self, target: AsyncWritable) -> None:
        self._target = target

    async def write(self, data: Content | bytearray | memoryview) -> int:
        """Append bytes, or text as UTF-8, and return how much."""
        await self._target.write(data.encode() if isinstance(data, str) else bytes(data))
        return len(data)

    async def writelines(self, lines: Iterable[Content]) -> None:
        """Append several pieces."""
        for line in lines:
            await self.write(line)

    async def flush(self) -> None:
        """Do nothing: the file appears as a whole when it is closed."""


class HashingWriter:
    """Keeps what is written to a blob, so that its hash can be computed when it is closed."""

    def __init__(self, target: AsyncWritable, on_close: Callable[[bytes], None]) -> None:
        self._target = target
        self._on_close = on_close
        self._written = bytearray()

    async def write(self, data: bytes) -> None:
        """Append bytes."""
        self._written += data
        await self._target.write(data)

    async def close(self) -> str:
        """Make the blob visible and report its content."""
        digest = await self._target.close()
        self._on_close(bytes(self._written))
        return digest

    async def abort(self) -> None:
        """Forget what was written."""
        await self._target.abort()


def blocking_reader(source: AsyncReadable, *, is_text: bool) -> IO[Any]:
    """Return a standard file object that reads a blob."""
    buffered = io.BufferedReader(RawReader(source), _CHUNK_BYTES)
    return io.TextIOWrapper(buffered, encoding="utf-8") if is_text else buffered


def blocking_writer(
    target: AsyncWritable, on_close: Callable[[str], None], *, is_text: bool
) -> tuple[IO[Any], Callable[[], None]]:
    """Return a standard file object that writes a blob, and what makes its closing abort instead.

    Args:
        target: The blob.
        on_close: Is told the digest of what was written.
        is_text: Whether it takes text.
    """
    raw = RawWriter(target, on_close)
    buffered = io.BufferedWriter(raw, _CHUNK_BYTES)

    def abort() -> None:
        raw.is_aborted = True

    return (io.TextIOWrapper(buffered, encoding="utf-8") if is_text else buffered), abort
