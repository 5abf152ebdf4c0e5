"""Blobs in object stores, moved by obstore: parts in parallel, range reads, objects that are whole."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upwell._types.object_errors import explained
from upwell._types.object_reader import RangeReader, Version
from upwell._types.object_writer import PartWriter
from upwell._types.transfer import CONTENT_HASH, AsyncReadable, AsyncWritable, Blob, part_of

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

PART_BYTES = 8 << 20
"""Least size of one part of a large transfer; S3 wants 5 MiB. What is smaller is one request."""
PARTS_AT_ONCE = 6
"""Parts of one blob that are in memory at the same time: 48 MiB are what a large transfer takes."""
PARTS_MAX = 9_000
"""Parts of an upload; S3 takes 10,000."""
_PIECE_BYTES = 1 << 20
"""How much of a range is written to the file at once."""
CLIENT: ClientConfig = {"connect_timeout": "5s", "read_timeout": "30s", "timeout": "1h", "user_agent": "upwell"}
"""A request may take as long as it makes progress."""
RETRY: RetryConfig = {"max_retries": 5}
"""Errors of the server, dropped connections and timeouts are tried again, with growing pauses."""


class ObjectTransfer(ABC):
    """`BlobTransfer` for what obstore can reach. It is loaded at the first transfer."""

    def __init__(self) -> None:
        self._pid: int | None = None

    @abstractmethod
    def locate(self, uri: str) -> tuple[ObjectStore, str]:
        """Return the store of a URI and the path in it; this may block.

        Raises:
            ValueError: the URI cannot be one of a blob.
        """

    @abstractmethod
    def uri_of(self, uri: str, path: str) -> str:
        """Return the URI of another path in a URI's store."""

    async def upload(self, local: Path, uri: str) -> str:
        """Upload a file, a large one in parallel parts."""
        size = await asyncio.to_thread(_size_of, local, uri)
        store, path = await self._located(uri)
        content = CONTENT_HASH()
        with explained(uri):
            if size <= PART_BYTES:
                data = await asyncio.to_thread(local.read_bytes)
                content.update(data)
                await self._obstore.put_async(store, path, data, use_multipart=False)
            else:
                await self._obstore.put_async(
                    store,
                    path,
                    _pieces(local, content),
                    chunk_size=max(PART_BYTES, size // PARTS_MAX),
                    max_concurrency=PARTS_AT_ONCE,
                )
        return content.hexdigest()

    async def download(self, uri: str, local: Path) -> None:
        """Download a blob, a large one in parallel ranges."""
        store, path = await self._located(uri)
        await asyncio.to_thread(local.parent.mkdir, parents=True, exist_ok=True)
        part = part_of(local)
        try:
            with explained(uri):
                found = await self._obstore.get_async(store, path)
                if found.meta["size"] <= PART_BYTES:
                    await asyncio.to_thread(part.write_bytes, await found.bytes_async())
                else:
                    await self._download_parts(store, path, found, Version(uri, found), part)
            await asyncio.to_thread(part.replace, local)
        finally:
            part.unlink(missing_ok=True)

    async def stat(self, uri: str) -> Blob | None:
        """Return what is known of an object."""
        store, path = await self._located(uri)
        try:
            with explained(uri):
                found = await self._obstore.head_async(store, path)
        except FileNotFoundError:
            return None
        return Blob(uri, found["size"], found["last_modified"].timestamp())

    async def list(self, uri_prefix: str, *, limit: int | None = None) -> list[Blob]:
        """Return the objects below a folder."""
        store, path = await self._located(uri_prefix, is_folder=True)
        found: list[Blob] = []
        with explained(uri_prefix):
            async for page in self._obstore.list(store, path or None, chunk_size=1000):
                found += [
                    Blob(self.uri_of(uri_prefix, m["path"]), m["size"], m["last_modified"].timestamp())
                    for m in page
                ]
                if limit is not None and len(found) > limit:
                    break
        return _without_folders(sorted(found))[:limit]

    async def open_read(self, uri: str, *, block_bytes: int | None = None) -> AsyncReadable:
        """Open an object to read by ranges."""
        store, path = await self._located(uri)

        async def fetch(options: GetOptions) -> GetResult:
            with explained(uri):
                found: GetResult = await self._obstore.get_async(store, path, options=options)
                return found

        return await RangeReader.open(uri, fetch, block_bytes)

    async def open_write(self, uri: str) -> AsyncWritable:
        """Begin to write an object; small ones are one request."""
        store, path = await self._located(uri)

        async def put(data: Any, is_large: bool) -> None:
            with explained(uri):
                await self._obstore.put_async(
                    store,
                    path,
                    data,
                    use_multipart=is_large,
                    chunk_size=PART_BYTES,
                    max_concurrency=PARTS_AT_ONCE,
                )

        return PartWriter(put, PART_BYTES)

    async def _download_parts(
        self, store: ObjectStore, path: str, found: GetResult, version: Version, part: Path
    ) -> None:
        from obstore.exceptions import NotSupportedError

        size = version.size
        starts = iter(range(0, size, PART_BYTES))
        descriptor = await asyncio.to_thread(os.open, part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o666)

        async def fetch(start: int) -> None:
            end = min(start + PART_BYTES, size)
            options: GetOptions = {"range": (start, end), "if_match": version.match}
            got = await self._obstore.get_async(store, path, options=options)
            version.check(got)
            await _save(got, descriptor, start, end)

        async def work() -> None:
            for start in starts:
                await fetch(start)

        try:
            try:
                await fetch(next(starts))
            except NotSupportedError:  # a server that knows no ranges sends the whole, in order
                await _save(found, descriptor, 0, size)
                return
            del found  # lets go of its connection
            async with asyncio.TaskGroup() as group:
                for _ in range(PARTS_AT_ONCE):
                    group.create_task(work())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            os.close(descriptor)

    async def _located(self, uri: str, *, is_folder: bool = False) -> tuple[ObjectStore, str]:
        if self._pid not in (None, os.getpid()):
            raise RuntimeError(
                "this process was forked after its parent had moved files, whose threads it has not; "
                "start it with multiprocessing.get_context('spawn')"
            )
        self._pid = os.getpid()
        store, path = await asyncio.to_thread(self.locate, uri)
        path = path.rstrip("/") if is_folder else path
        return store, path

    @property
    def _obstore(self) -> Any:
        import obstore

        return obstore


def _size_of(local: Path, uri: str) -> int:
    if not local.is_file():
        raise FileNotFoundError(f"no file {str(local)!r} to upload to {uri!r}")
    return local.stat().st_size


async def _pieces(local: Path, content: Any) -> AsyncIterator[bytes]:
    """Yield a file in parts, and put them into its hash."""
    with await asyncio.to_thread(local.open, "rb", buffering=0) as file:

        def piece() -> bytes:
            data = file.read(PART_BYTES)
            content.update(data)
            return data

        while data := await asyncio.to_thread(piece):
            yield data


async def _save(got: GetResult, descriptor: int, start: int, end: int) -> None:
    """Write what comes of a range to its place in a file."""
    async for piece in got.stream(min_chunk_size=_PIECE_BYTES):
        start += await asyncio.to_thread(os.pwrite, descriptor, piece, start)
    if start != end:
        raise OSError(f"got {end - start:,} bytes less than the server had promised; try again")


def _without_folders(found: list[Blob]) -> list[Blob]:
    """Leave out the empty objects that consoles make for folders."""
    return [
        blob
        for blob, following in zip_longest(found, found[1:])
        if blob.size_bytes or following is None or not following.uri.startswith(f"{blob.uri}/")
    ]
