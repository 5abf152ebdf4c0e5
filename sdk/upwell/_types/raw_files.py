"""Blobs as the standard library's raw files, for code that reads and writes files and is not async."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from upwell._types.blocking import run_blocking
from upwell._types.io_context import current_io_context
from upwell._types.transfers.transfer import AsyncReadable, AsyncWritable

_BUFFER_BYTES = 1 << 20


class RawReader(io.RawIOBase):
    """A blob to read from, by ranges."""

    def __init__(self, source: AsyncReadable) -> None:
        self._source = source

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read from any position."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer, and return how many bytes."""
        data = run_blocking(self._source.read(len(buffer)))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position and return it."""
        return run_blocking(self._source.seek(offset, whence))

    def close(self) -> None:
        """Release what reading holds."""
        if not self.closed:
            run_blocking(self._source.close())
        super().close()


class RawWriter(io.RawIOBase):
    """A blob being written; it appears when it is closed.

    Args:
        target: The blob.
        on_close: Is told the digest of what was written.
    """

    def __init__(self, target: AsyncWritable, on_close: Callable[[str], None] = lambda _: None) -> None:
        self._target = target
        self._on_close = on_close
        self.is_aborted = False

    def writable(self) -> bool:
        """Say that it can be written."""
        return True

    def write(self, data: Any) -> int:
        """Append bytes, and return how many."""
        if not self.is_aborted:
            run_blocking(self._target.write(bytes(data)))
        return len(data)

    def close(self) -> None:
        """Make the blob visible, or forget it when it is aborted."""
        if self.closed:
            return
        super().close()  # also when what follows fails: it is not tried again
        if self.is_aborted:
            run_blocking(self._target.abort())
        else:
            self._on_close(run_blocking(self._target.close()))


@contextmanager
def reading(uri: str) -> Iterator[IO[bytes]]:
    """Open a blob to read it in a block.

    Raises:
        FileNotFoundError: there is no such blob.
    """
    source = run_blocking(current_io_context().transfer_for(uri).open_read(uri))
    with io.BufferedReader(RawReader(source), _BUFFER_BYTES) as file:
        yield file


@contextmanager
def writing(uri: str) -> Iterator[IO[bytes]]:
    """Write a blob in a block; when that raises, nothing is left of it."""
    raw = RawWriter(run_blocking(current_io_context().transfer_for(uri).open_write(uri)))
    file = io.BufferedWriter(raw, _BUFFER_BYTES)
    try:
        yield file
    except BaseException:
        raw.is_aborted = True
        raise
    finally:
        file.close()
