"""Blobs that are files of this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from upwell._types.transfer import AsyncReadable, AsyncWritable, local_path_of, scheme_of


class LocalTransfer:
    """`BlobTransfer` for paths and `file://` URIs. Files appear whole: written beside, then renamed."""

    async def upload(self, local: Path, uri: str) -> None:
        """Copy a file."""
        await asyncio.to_thread(_copy, local, local_path_of(uri))

    async def download(self, uri: str, local: Path) -> None:
        """Copy a file."""
        await asyncio.to_thread(_copy, local_path_of(uri), local)

    async def exists(self, uri: str) -> bool:
        """Say whether there is a file or folder."""
        return await asyncio.to_thread(local_path_of(uri).exists)

    async def list(self, uri_prefix: str, *, limit: int | None = None) -> list[tuple[str, int]]:
        """Return the files below a folder."""
        found = await asyncio.to_thread(_files, local_path_of(uri_prefix))
        if scheme_of(uri_prefix):
            found = [(Path(path).as_uri(), size) for path, size in found]
        return found[:limit]

    async def open_read(self, uri: str) -> AsyncReadable:
        """Open a file to read from."""
        return _Reader(await asyncio.to_thread(_open_to_read, local_path_of(uri)))

    async def open_write(self, uri: str) -> AsyncWritable:
        """Begin to write a file."""
        target = local_path_of(uri)
        part = _part_of(target)
        return _Writer(await asyncio.to_thread(_open_to_write, part), part, target)


def _part_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise FileNotFoundError(f"no file {str(source)!r} to copy to {str(target)!r}")
    if target.exists() and source.samefile(target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _part_of(target)
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _files(folder: Path) -> list[tuple[str, int]]:
    return sorted(_walk(folder))


def _walk(folder: Path) -> Iterator[tuple[str, int]]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            yield path, os.path.getsize(path)


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

    async def write(self, data: bytes) -> None:
        await asyncio.to_thread(self._file.write, data)

    async def close(self) -> None:
        await asyncio.to_thread(self._finish)

    async def abort(self) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    def _finish(self) -> None:
        self._file.close()
        self._part.replace(self._target)
