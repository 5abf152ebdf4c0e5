"""The port through which files and directories move: one transfer per URI scheme."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit


class AsyncReadable(Protocol):
    """An open blob to read from."""

    async def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes from the position on; all that is left for -1, nothing at the end."""

    async def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position as `io.IOBase.seek` does, and return it."""

    async def close(self) -> None:
        """Release what reading holds."""


class AsyncWritable(Protocol):
    """A blob being written. Nobody sees it before `close`."""

    async def write(self, data: bytes) -> None:
        """Append bytes."""

    async def close(self) -> None:
        """Make the blob visible, replacing an older one."""

    async def abort(self) -> None:
        """Forget what was written."""


class BlobTransfer(Protocol):
    """Moves blobs whose URIs have one scheme. Every adapter passes tests/contract/test_blob_transfer.py."""

    async def upload(self, local: Path, uri: str) -> None:
        """Copy a local file to a URI, replacing what is there.

        Raises:
            FileNotFoundError: there is no such local file.
        """

    async def download(self, uri: str, local: Path) -> None:
        """Copy a blob to a local file, making its folders. The file is whole or not there.

        Raises:
            FileNotFoundError: there is no such blob.
        """

    async def exists(self, uri: str) -> bool:
        """Say whether there is a blob under the URI."""

    async def list(self, uri_prefix: str, *, limit: int | None = None) -> list[tuple[str, int]]:
        """Return URI and size in bytes of the blobs below a folder, at any depth, ordered by URI.

        Args:
            uri_prefix: The folder, with or without a slash at its end.
            limit: Return at most so many.
        """

    async def open_read(self, uri: str) -> AsyncReadable:
        """Open a blob to read from.

        Raises:
            FileNotFoundError: there is no such blob.
        """

    async def open_write(self, uri: str) -> AsyncWritable:
        """Begin to write a blob."""


def scheme_of(uri: str) -> str:
    """Return a URI's scheme; empty for a path."""
    return uri.split("://", 1)[0] if "://" in uri else ""


def is_local(uri: str) -> bool:
    """Say whether a URI is a path of this machine."""
    return scheme_of(uri) in ("", "file")


def local_path_of(uri: str) -> Path:
    """Return the path that a local URI means."""
    return Path(unquote(urlsplit(uri).path)) if scheme_of(uri) == "file" else Path(uri)


def join_uri(prefix: str, *parts: str) -> str:
    """Return the URI of something below a folder."""
    return "/".join([prefix.rstrip("/"), *(part.strip("/") for part in parts)])
