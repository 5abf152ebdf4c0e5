"""The port through which files and directories move: one transfer per URI scheme."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlsplit


class Blob(NamedTuple):
    """A blob as a listing has it.

    Attributes:
        uri: Its URI.
        size_bytes: How large it is.
        modified_at: When it was written, epoch seconds; 0 where nobody says.
    """

    uri: str
    size_bytes: int
    modified_at: float


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

    async def close(self) -> str:
        """Make the blob visible, replacing an older one, and return the digest of its content."""

    async def abort(self) -> None:
        """Forget what was written."""


class BlobTransfer(Protocol):
    """Moves blobs whose URIs have one scheme. Every adapter passes tests/contract/test_blob_transfer.py."""

    async def upload(self, local: Path, uri: str) -> str:
        """Copy a local file to a URI, replacing what is there, and return the digest of its content.

        Raises:
            FileNotFoundError: there is no such local file.
        """

    async def download(self, uri: str, local: Path) -> None:
        """Copy a blob to a local file, making its folders. The file is whole or not there.

        Raises:
            FileNotFoundError: there is no such blob.
        """

    async def stat(self, uri: str) -> Blob | None:
        """Return what is known of the blob under a URI; None when there is none."""

    async def list(self, uri_prefix: str, *, limit: int | None = None) -> list[Blob]:
        """Return the blobs below a folder, at any depth, ordered by URI.

        Args:
            uri_prefix: The folder, with or without a slash at its end.
            limit: Return at most so many.
        """

    async def open_read(self, uri: str, *, block_bytes: int | None = None) -> AsyncReadable:
        """Open a blob to read from, without reading the whole.

        Args:
            uri: Of the blob.
            block_bytes: How much to read from it at once; by default, more the longer it is read in order.

        Raises:
            FileNotFoundError: there is no such blob.
        """

    async def open_write(self, uri: str) -> AsyncWritable:
        """Begin to write a blob."""


CONTENT_HASH = hashlib.sha256
"""What the digest of a blob's content is made with."""


def part_of(target: Path) -> Path:
    """Return the path under which a file is written before it has its name."""
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")


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
