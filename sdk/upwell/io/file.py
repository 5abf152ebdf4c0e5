"""References to single files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any, Generic

from pydantic import PrivateAttr
from typing_extensions import TypeVar

from upwell._types.blocking import run_blocking
from upwell._types.io_context import IoContext, current_io_context
from upwell._types.reference import Reference
from upwell._types.transfers.local_transfer import digest_in_place
from upwell._types.transfers.transfer import AsyncReadable, AsyncWritable, is_local, join_uri, local_path_of
from upwell.io.compression import CompressingWriter, DecompressingReader, method_of
from upwell.io.download import Download
from upwell.io.hashing import HashFunction, HashMethod
from upwell.io.streams import (
    AsyncReadFile,
    AsyncWriteFile,
    HashingWriter,
    Mode,
    blocking_reader,
    blocking_writer,
)

T = TypeVar("T", default=Any)


class File(Reference, Generic[T]):
    """A reference to a file in object storage or on this machine; making one copies nothing.

    `T` says what the content is, for readers of the code alone.

    Example:
        >>> file = File(path="s3://bucket/data.csv")
        >>> file.name
        'data.csv'
    """

    _hash_function: HashFunction | None = PrivateAttr(default=None)

    # ---- making references -------------------------------------------------------------------------

    @classmethod
    async def from_local(
        cls,
        local_path: str | os.PathLike[str],
        remote_destination: str | None = None,
        hash_method: HashMethod | None = None,
    ) -> File[T]:
        """Upload a file and return the reference to it.

        With a backend on this machine and no destination nothing is copied: the path itself is referenced.

        Args:
            local_path: An existing file.
            remote_destination: URI to upload to; by default a fresh one.
            hash_method: A `HashFunction` over the content (all of it, in memory), or the hash itself; it counts
                in cache keys. Without it the digest of the content does, which is computed as it is uploaded.

        Raises:
            FileNotFoundError: there is no such file.
        """
        path = await asyncio.to_thread(_existing_file, local_path)
        context = current_io_context()
        uri = remote_destination or (str(path) if context.is_local else context.fresh_uri(path.name))
        digest = await _upload(context, path, uri)
        content_hash = await _hash_of(path, hash_method)
        return cls(path=uri, name=path.name, hash=content_hash, digest=digest)

    @classmethod
    def from_local_sync(
        cls,
        local_path: str | os.PathLike[str],
        remote_destination: str | None = None,
        hash_method: HashMethod | None = None,
    ) -> File[T]:
        """Do what `from_local` does, blocking."""
        return run_blocking(cls.from_local(local_path, remote_destination, hash_method))

    @classmethod
    def new_remote(
        cls,
        file_name: str | os.PathLike[str] | None = None,
        hash_method: HashMethod | None = None,
    ) -> File[T]:
        """Return a reference at a fresh path, to be written; or, of an existing local file, to its upload.

        Args:
            file_name: Last part of the path; or the path of a local file, whose content is uploaded.
            hash_method: As for `from_local`; a function is applied to what is written.
        """
        context = current_io_context()
        if file_name is not None and Path(file_name).is_file():
            destination = context.fresh_uri(Path(file_name).name)
            return cls.from_local_sync(file_name, destination, hash_method)
        name = Path(file_name).name if file_name is not None else None
        return cls._to_be_written(context.fresh_uri(name), hash_method)

    @classmethod
    def named_remote(cls, name: str, hash_method: HashMethod | None = None) -> File[T]:
        """Return a reference at the path that the name alone decides: the same for the same prefix of data."""
        return cls._to_be_written(join_uri(current_io_context().raw_data_prefix, name), hash_method)

    @classmethod
    def from_existing_remote(cls, remote_path: str, file_cache_key: str | None = None) -> File[T]:
        """Return a reference to a file that is there already; nothing is copied or looked up.

        Args:
            remote_path: Its URI.
            file_cache_key: Counts in cache keys instead of the URI.
        """
        return cls(path=remote_path, hash=file_cache_key)

    @classmethod
    def _to_be_written(cls, uri: str, hash_method: HashMethod | None) -> File[T]:
        file = cls(path=uri, hash=hash_method if isinstance(hash_method, str) else None)
        file._hash_function = hash_method if isinstance(hash_method, HashFunction) else None
        return file

    # ---- content -----------------------------------------------------------------------------------

    @asynccontextmanager
    async def open(
        self,
        mode: str = "rb",
        block_size: int | None = None,
        cache_type: str | None = None,
        compression: str | None = None,
    ) -> AsyncIterator[Any]:
        """Open the file; `await f.read()` or `await f.write(...)` in the block.

        What is written appears as a whole when the block ends, and not at all when it raises.

        Args:
            mode: `r` or `w`, with `b` for bytes; text is UTF-8.
            block_size: Bytes to read at once; by default more the longer the file is read in order, up to
                8 MiB. Besides the block in use, the next one is held.
            cache_type: Accepted for compatibility.
            compression: `gzip`, `bz2` or `xz`, or `infer` to go by the end of the name.

        Raises:
            FileNotFoundError: there is nothing to read.
            ValueError: there is no such mode or compression.
        """
        how = Mode.parse(mode)
        if not how.is_write:
            source = await self._open_read(block_size, compression)
            try:
                yield AsyncReadFile[Any](source, is_text=how.is_text)
            finally:
                await source.close()
            return
        target = await self._open_write(compression)
        try:
            yield AsyncWriteFile[Any](target)
            self.digest = await target.close()
        except BaseException:
            await target.abort()
            raise

    @contextmanager
    def open_sync(
        self,
        mode: str = "rb",
        block_size: int | None = None,
        cache_type: str | None = None,
        compression: str | None = None,
    ) -> Iterator[IO[Any]]:
        """Do what `open` does, blocking, with a standard file object."""
        how = Mode.parse(mode)
        if not how.is_write:
            source = run_blocking(self._open_read(block_size, compression))
            with blocking_reader(source, is_text=how.is_text) as readable:
                yield readable
            return
        target = run_blocking(self._open_write(compression))
        writable, abort = blocking_writer(target, self._keep_digest, is_text=how.is_text)
        try:
            yield writable
        except BaseException:
            abort()
            raise
        finally:
            writable.close()

    def download(self, local_path: str | os.PathLike[str] | None = None) -> Download:
        """Return the path of a local copy: `await` it, or use it as a path, which downloads then.

        Args:
            local_path: File or folder to copy to; by default a scratch folder. A file of this machine is
                not copied without it.
        """
        context = current_io_context()

        async def fetch() -> str:
            return await self._download(context, local_path)

        return Download(fetch)

    def download_sync(self, local_path: str | os.PathLike[str] | None = None) -> str:
        """Copy the file to this machine now and return the path."""
        return os.fspath(self.download(local_path))

    async def exists(self) -> bool:
        """Say whether there is such a file."""
        return await current_io_context().transfer_for(self.path).stat(self.path) is not None

    def exists_sync(self) -> bool:
        """Do what `exists` does, blocking."""
        return run_blocking(self.exists())

    async def _download(self, context: IoContext, local_path: str | os.PathLike[str] | None) -> str:
        transfer = context.transfer_for(self.path)
        if local_path is None and is_local(self.path):
            path = local_path_of(self.path).absolute()
            if await transfer.stat(self.path) is None:
                raise FileNotFoundError(f"no file {str(path)!r}; was it written, and on this machine?")
            return str(path)
        name = Path(self.name or "").name or "file"
        target = context.fresh_path(name) if local_path is None else _target(local_path, name)
        await transfer.download(self.path, target)
        return str(target)

    async def _open_read(self, block_size: int | None, compression: str | None) -> AsyncReadable:
        method = method_of(compression, self.path)
        transfer = current_io_context().transfer_for(self.path)
        source = await transfer.open_read(self.path, block_bytes=block_size)
        return source if method is None else DecompressingReader(source, method)

    async def _open_write(self, compression: str | None) -> AsyncWritable:
        method = method_of(compression, self.path)
        target = await current_io_context().transfer_for(self.path).open_write(self.path)
        if method is not None:
            target = CompressingWriter(target, method)
        function = self._hash_function
        if function is None:
            return target

        def keep_hash(content: bytes) -> None:
            self.hash = function(content)

        return HashingWriter(target, keep_hash)

    def _keep_digest(self, digest: str) -> None:
        self.digest = digest


def _existing_file(local_path: str | os.PathLike[str]) -> Path:
    path = Path(local_path).absolute()
    if not path.is_file():
        kind = "it is a folder; use Directory.from_local" if path.is_dir() else "it does not exist"
        raise FileNotFoundError(f"cannot make a File of {str(local_path)!r}: {kind}")
    return path


def _target(local_path: str | os.PathLike[str], name: str) -> Path:
    path = Path(local_path)
    is_folder = str(local_path).endswith(os.sep) or path.is_dir()
    return (path / name if is_folder else path).absolute()


async def _upload(context: IoContext, path: Path, uri: str) -> str:
    if is_local(uri) and local_path_of(uri).absolute() == path:
        return await asyncio.to_thread(digest_in_place, path)
    return await context.transfer_for(uri).upload(path, uri)


async def _hash_of(path: Path, hash_method: HashMethod | None) -> str | None:
    if hash_method is None or isinstance(hash_method, str):
        return hash_method
    function: Callable[[bytes], str] = hash_method
    return await asyncio.to_thread(lambda: function(path.read_bytes()))
