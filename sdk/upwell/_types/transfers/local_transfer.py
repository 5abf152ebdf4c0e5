"""Blobs that are files of this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from upwell._types.transfers.transfer import (
    CONTENT_HASH,
    AsyncReadable,
    AsyncWritable,
    Blob,
    local_path_of,
    part_of,
    scheme_of,
)

_PIECE_BYTES = 1 << 20
_DIGESTED_BYTES = 256 << 20
"""What is read for a digest alone: some tenths of a second."""


class LocalTransfer:
    """`BlobTransfer` for paths and `file://` URIs. Files appear whole: written beside, then renamed."""

    async def upload(self, local: Path, uri: str) -> str:
        """Copy a file, and hash it on the way."""
        return await asyncio.to_thread(_copy, local, local_path_of(uri))

    async def download(self, uri: str, local: Path) -> None:
        """Copy a file."""
        await asyncio.to_thread(_copy, local_path_of(uri), local)

    async def stat(self, uri: str) -> Blob | None:
        """Return what is known of a file."""
        return await asyncio.to_thread(_stat, uri)

    async def list(self, uri_prefix: str, *, limit: int | None = None) -> list[Blob]:
        """Return the files below a folder."""
        found = await asyncio.to_thread(_files, local_path_of(uri_prefix))
        if scheme_of(uri_prefix):
            found = [blob._replace(uri=Path(blob.uri).as_uri()) for blob in found]
        return found[:limit]

    async def open_read(self, uri: str, *, block_bytes: int | None = None) -> AsyncReadable:
        """Open a file to read from; the operating system reads ahead."""
        return _Reader(await asyncio.to_thread(_open_to_read, local_path_of(uri)))

    async def open_write(self, uri: str) -> AsyncWritable:
        """Begin to write a file."""
        target = local_path_of(uri)
        part = part_of(target)
        return _Writer(await asyncio.to_thread(_open_to_write, part), part, target)


def content_digest_of(path: Path) -> str:
    """Return the digest of a file's content; this blocks."""
    content = CONTENT_HASH()
    with _open_to_read(path) as file:
        while piece := file.read(_PIECE_BYTES):
            content.update(piece)
    return content.hexdigest()


def digest_in_place(path: Path) -> str:
    """Return what counts of a file or folder that is referred to where it is; this blocks.

    Up to 256 MiB that is its content: for a folder, the names and contents of its files. Of more, it is where
    it is, how large, and when it was changed.
    """
    files = [Blob(str(path), *_size_and_time(path))] if path.is_file() else _files(path)
    is_small = sum(file.size_bytes for file in files) <= _DIGESTED_BYTES
    if path.is_file() and is_small:
        return content_digest_of(path)
    if is_small:
        return digest_of_files({_below(path, file.uri): content_digest_of(Path(file.uri)) for file in files})
    return digest_of_files({file.uri: f"{file.size_bytes} {file.modified_at}" for file in files})


def digest_of_files(digests: Mapping[str, str]) -> str:
    """Return the digest of a folder.

    Args:
        digests: Digest by path in the folder.
    """
    listing = "".join(f"{digest} {name}\n" for name, digest in sorted(digests.items()))
    return CONTENT_HASH(listing.encode()).hexdigest()


def _below(folder: Path, path: str) -> str:
    return Path(path).relative_to(folder).as_posix()


def _size_and_time(path: Path) -> tuple[int, float]:
    about = path.stat()
    return about.st_size, about.st_mtime


def _copy(source: Path, target: Path) -> str:
    if not source.is_file():
        raise FileNotFoundError(f"no file {str(source)!r} to copy to {str(target)!r}")
    if target.exists() and source.samefile(target):
        return content_digest_of(source)
    part = part_of(target)
    content = CONTENT_HASH()
    try:
        with source.open("rb") as reader, _open_to_write(part) as writer:
            while piece := reader.read(_PIECE_BYTES):
                content.update(piece)
                writer.write(piece)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return content.hexdigest()


def _stat(uri: str) -> Blob | None:
    try:
        found = local_path_of(uri)
        about = found.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Blob(uri, about.st_size, about.st_mtime) if found.is_file() else None


def _files(folder: Path) -> list[Blob]:
    return sorted(_walk(folder))


def _walk(folder: Path) -> Iterator[Blob]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            if os.path.exists(path):  # not a link to what is gone
                yield Blob(path, *_size_and_time(Path(path)))


def _open_to_read(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"no file {str(path)!r}; was it written, and on this machine?") from None


def _open_to_write(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("wb")


class _Reader:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    async def read(self, size: int = -1) -> bytes:
        return await asyncio.to_thread(self._file.read, size)

    async def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    async def close(self) -> None:
        self._file.close()


class _Writer:
    def __init__(self, file: BinaryIO, part: Path, target: Path) -> None:
        self._file = file
        self._part = part
        self._target = target
        self._content = CONTENT_HASH()

    async def write(self, data: bytes) -> None:
        await asyncio.to_thread(self._write, data)

    async def close(self) -> str:
        await asyncio.to_thread(self._finish)
        return self._content.hexdigest()

    async def abort(self) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        self._content.update(data)
        self._file.write(data)

    def _finish(self) -> None:
        self._file.close()
        self._part.replace(self._target)
