"""Blobs as files in a folder."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from upwell._core.garbage import REFRESH_S, BlobInfo
from upwell._core.ports import BlobNotFoundError

_UNFINISHED = ".unfinished"
"""Folder of files that are being written; what a killed process left there is in nobody's way."""


class FolderBlobs:
    """`BlobStore` in a folder, which several processes may share.

    Args:
        root: The folder; it is created with the first blob.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._prefix = f"{self._root}{os.sep}"

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or parts[0] in ("/", _UNFINISHED) or ".." in parts:
            raise ValueError(f"{key!r} is not the key of a blob: it must be a relative path without '..'")
        return self._root.joinpath(*parts)

    async def put(self, key: str, data: bytes) -> None:
        """Write a blob, whole or not at all; when the key exists already, keep what is there."""
        await asyncio.to_thread(_write_once, self._path(key), data, self._root / _UNFINISHED)

    async def get(self, key: str) -> bytes:
        """Return a blob.

        Raises:
            BlobNotFoundError: there is none.
        """
        path = self._path(key)
        try:
            return await asyncio.to_thread(path.read_bytes)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as e:
            raise BlobNotFoundError(f"no blob {key!r} in {self._root}") from e

    async def exists(self, key: str) -> bool:
        """Whether there is such a blob."""
        return await asyncio.to_thread(self._path(key).is_file)

    async def is_younger(self, key: str, age_s: float) -> bool:
        """Whether there is such a blob, written less than so many seconds ago."""
        return await asyncio.to_thread(_is_younger, self._path(key), age_s)

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """Yield the blobs whose keys start with a prefix that ends in a slash."""
        for blob in await asyncio.to_thread(_below, self._path(prefix), self._prefix):
            yield blob

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete blobs, and the folders that nothing is left in."""
        await asyncio.to_thread(_delete, [self._path(key) for key in keys], self._root)

    def uri(self, key: str) -> str:
        """Return the path of a key's file."""
        return f"{self._prefix}{key}"


def _write_once(path: Path, data: bytes, unfinished: Path) -> None:
    if path.exists():
        if not _is_younger(path, REFRESH_S):
            path.touch()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=unfinished)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        _publish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _publish(temporary: Path, path: Path) -> None:
    """Give a finished file its name, unless another writer was first."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links: equal keys hold equal bytes, so the last one may win
        temporary.replace(path)


def _is_younger(path: Path, age_s: float) -> bool:
    try:
        return time.time() - path.stat().st_mtime < age_s
    except FileNotFoundError:
        return False


def _below(folder: Path, root: str) -> list[BlobInfo]:
    found = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with suppress(FileNotFoundError):  # deleted meanwhile
                about = os.stat(path)
                found.append(BlobInfo(path.removeprefix(root), about.st_size, about.st_mtime))
    return found


def _delete(paths: Iterable[Path], root: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == root:
                break
            try:
                folder.rmdir()
            except OSError:  # not empty, or gone
                break
