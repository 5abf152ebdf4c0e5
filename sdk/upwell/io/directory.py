"""References to directories."""

from __future__ import annotations

import asyncio
import fnmatch
import os
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Generic

from typing_extensions import TypeVar

from upwell._types.blocking import run_blocking
from upwell._types.io_context import IoContext, current_io_context
from upwell._types.reference import Reference
from upwell._types.transfers.local_transfer import digest_in_place, digest_of_files
from upwell._types.transfers.transfer import is_local, join_uri, local_path_of
from upwell.io.download import Download
from upwell.io.file import File
from upwell.io.parallel import Move, move_all

T = TypeVar("T", default=Any)

_NOT_RECURSIVE_DEPTH = 2
"""What a walk that is not recursive enters: the folder itself and one level of folders in it."""


class Directory(Reference, Generic[T]):
    """A reference to all files below a folder in object storage or on this machine.

    Example:
        >>> Directory(path="s3://bucket/images/").name
        'images'
    """

    # ---- making references -------------------------------------------------------------------------

    @classmethod
    async def from_local(
        cls,
        local_path: str | os.PathLike[str],
        remote_destination: str | None = None,
        dir_cache_key: str | None = None,
    ) -> Directory[T]:
        """Upload the files below a folder and return the reference to them.

        With a backend on this machine and no destination nothing is copied: the path itself is referenced.

        Args:
            local_path: An existing folder, with or without a slash at its end.
            remote_destination: URI to upload to; by default a fresh one.
            dir_cache_key: Counts in cache keys; without it, the names and contents of the files do.

        Raises:
            FileNotFoundError: there is no such folder.
        """
        folder = await asyncio.to_thread(_existing_folder, local_path)
        context = current_io_context()
        uri = remote_destination or (str(folder) if context.is_local else context.fresh_uri(folder.name))
        if is_local(uri) and local_path_of(uri).absolute() == folder:
            digest = await asyncio.to_thread(digest_in_place, folder)
        else:
            digest = await _upload(context, folder, uri)
        return cls(path=uri, name=folder.name, hash=dir_cache_key, digest=digest)

    @classmethod
    def from_local_sync(
        cls,
        local_path: str | os.PathLike[str],
        remote_destination: str | None = None,
        dir_cache_key: str | None = None,
    ) -> Directory[T]:
        """Do what `from_local` does, blocking."""
        return run_blocking(cls.from_local(local_path, remote_destination, dir_cache_key))

    @classmethod
    def new_remote(cls, dir_name: str | None = None, hash: str | None = None) -> Directory[T]:  # noqa: A002  # its name
        """Return a reference at a fresh path, to be written.

        Args:
            dir_name: Last part of the path.
            hash: Counts in cache keys instead of the path.
        """
        return cls(path=current_io_context().fresh_uri(dir_name), hash=hash)

    @classmethod
    def from_existing_remote(cls, remote_path: str, dir_cache_key: str | None = None) -> Directory[T]:
        """Return a reference to a folder that is there already; nothing is copied or looked up."""
        return cls(path=remote_path, hash=dir_cache_key)

    @classmethod
    def empty(cls) -> Directory[T]:
        """Return a reference to a folder without files, for an optional output that has no data."""
        return cls(path=current_io_context().fresh_uri("empty"))

    # ---- content -----------------------------------------------------------------------------------

    async def walk(self, recursive: bool = True, max_depth: int | None = None) -> AsyncIterator[File[T]]:
        """Yield the files below the folder, ordered by path.

        Args:
            recursive: Enter folders at any depth. When False, only one level of folders is entered, as
                `max_depth=2` says.
            max_depth: Levels to enter: 1 is the files right in the folder.
        """
        for file in await self._files(recursive, max_depth):
            yield file

    def walk_sync(
        self, recursive: bool = True, file_pattern: str = "*", max_depth: int | None = None
    ) -> Iterator[File[T]]:
        """Do what `walk` does, blocking, for the files whose name matches a pattern."""
        for file in run_blocking(self._files(recursive, max_depth)):
            if fnmatch.fnmatch(file.name or "", file_pattern):
                yield file

    async def list_files(self) -> list[File[T]]:
        """Return the files of a walk that is not recursive."""
        return await self._files(recursive=False, max_depth=None)

    def list_files_sync(self) -> list[File[T]]:
        """Do what `list_files` does, blocking."""
        return run_blocking(self.list_files())

    async def get_file(self, file_name: str) -> File[T] | None:
        """Return a file of the folder; None when there is none.

        Args:
            file_name: Its path in the folder.
        """
        file: File[T] = File(path=join_uri(self.path, file_name))
        return file if await file.exists() else None

    def get_file_sync(self, file_name: str) -> File[T] | None:
        """Do what `get_file` does, blocking."""
        return run_blocking(self.get_file(file_name))

    def download(self, local_path: str | os.PathLike[str] | None = None) -> Download:
        """Return the path of a local copy: `await` it, or use it as a path, which downloads then.

        Args:
            local_path: Folder to copy the files into; by default a scratch folder. A folder of this machine
                is not copied without it.
        """
        context = current_io_context()

        async def fetch() -> str:
            return await self._download(context, local_path)

        return Download(fetch)

    def download_sync(self, local_path: str | os.PathLike[str] | None = None) -> str:
        """Copy the files to this machine now and return the folder's path."""
        return os.fspath(self.download(local_path))

    async def exists(self) -> bool:
        """Say whether there is such a folder; in object storage, one exists while it has files."""
        if is_local(self.path):
            return await asyncio.to_thread(local_path_of(self.path).is_dir)
        return bool(await current_io_context().transfer_for(self.path).list(self.path, limit=1))

    def exists_sync(self) -> bool:
        """Do what `exists` does, blocking."""
        return run_blocking(self.exists())

    async def _files(self, recursive: bool, max_depth: int | None) -> list[File[T]]:
        depth = max_depth if recursive else _NOT_RECURSIVE_DEPTH
        found = await current_io_context().transfer_for(self.path).list(self.path)
        return [File(path=b.uri) for b in found if depth is None or _depth(self.path, b.uri) <= depth]

    async def _download(self, context: IoContext, local_path: str | os.PathLike[str] | None) -> str:
        if local_path is None and is_local(self.path) and await self.exists():
            return str(local_path_of(self.path).absolute())
        name = Path(self.name or "").name or "directory"
        folder = context.fresh_path(name) if local_path is None else Path(local_path)
        transfer = context.transfer_for(self.path)
        found = await transfer.list(self.path)
        folder = await asyncio.to_thread(_made_folder, folder)
        downloads = [
            Move(blob.size_bytes, partial(transfer.download, blob.uri, _below(folder, self.path, blob.uri)))
            for blob in found
        ]
        await move_all(downloads, context.max_transfers)
        return str(folder)


async def _upload(context: IoContext, folder: Path, uri: str) -> str:
    """Upload the files below a folder, and return their digest."""
    transfer = context.transfer_for(uri)
    digests: dict[str, str] = {}

    async def upload(path: Path) -> None:
        name = path.relative_to(folder).as_posix()
        digests[name] = await transfer.upload(path, join_uri(uri, name))

    files = await context.transfer_for("").list(str(folder))
    await move_all(
        [Move(file.size_bytes, partial(upload, Path(file.uri))) for file in files], context.max_transfers
    )
    return digest_of_files(digests)


def _relative(prefix: str, uri: str) -> str:
    if is_local(prefix):
        return local_path_of(uri).relative_to(local_path_of(prefix)).as_posix()
    return uri[len(prefix.rstrip("/")) :].lstrip("/")


def _below(folder: Path, prefix: str, uri: str) -> Path:
    """Return where a file of a directory goes.

    Raises:
        ValueError: its key would leave the folder.
    """
    target = folder / _relative(prefix, uri)
    if ".." in target.parts:
        raise ValueError(f"will not download {uri!r}: its key leads out of the folder")
    return target


def _depth(prefix: str, uri: str) -> int:
    return _relative(prefix, uri).count("/") + 1


def _existing_folder(local_path: str | os.PathLike[str]) -> Path:
    folder = Path(local_path).absolute()
    if not folder.is_dir():
        kind = "it is a file; use File.from_local" if folder.is_file() else "it does not exist"
        raise FileNotFoundError(f"cannot make a Directory of {str(local_path)!r}: {kind}")
    return folder


def _made_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()
