"""Blobs in object stores, moved by obstore: parts in parallel, range reads, objects that are whole.

obstore is called in threads that Python knows, and waits for when it ends. What its own coroutines do is
finished by threads of Rust's, which abort the process if they come to that while Python ends.
"""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from upwell._types.transfers.object_errors import explained
from upwell._types.transfers.object_reader import Answer, RangeReader, Version
from upwell._types.transfers.object_writer import PartWriter
from upwell._types.transfers.transfer import CONTENT_HASH, AsyncReadable, AsyncWritable, Blob, part_of

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

T = TypeVar("T")

PART_BYTES = 8 << 20
"""Least size of one part of a large transfer; S3 wants 5 MiB. What is smaller is one request."""
PARTS_AT_ONCE = 6
"""Parts of one blob that are in memory at the same time: 48 MiB are what a large transfer takes."""
PARTS_MAX = 9_000
"""Parts of an upload; S3 takes 10,000."""
THREADS = 64
"""Requests at the same time."""
_PIECE_BYTES = 1 << 20
"""How much of a range is written to the file at once."""
CLIENT: ClientConfig = {
    "connect_timeout": "5s",
    "read_timeout": "30s",
    "timeout": "1h",
    "user_agent": "upwell",
}
"""A request may take as long as it makes progress."""
RETRY: RetryConfig = {"max_retries": 5}
"""Errors of the server, dropped connections and timeouts are tried again, with growing pauses."""


class ObjectTransfer(ABC):
    """`BlobTransfer` for what obstore can reach. It is loaded at the first transfer."""

    _pid: int | None = None

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
        pieces = _Pieces(local)
        try:
            return await self._call(uri, lambda store, path: self._upload(store, path, pieces, uri))
        finally:
            pieces.stop()

    async def download(self, uri: str, local: Path) -> None:
        """Download a blob, a large one in parallel ranges."""
        part = part_of(local)
        try:
            rest = await self._call(uri, lambda store, path: self._begin(store, path, uri, part))
            if rest is not None:
                await self._fetch_ranges(uri, rest, part)
            await asyncio.to_thread(part.replace, local)
        finally:
            part.unlink(missing_ok=True)

    async def stat(self, uri: str) -> Blob | None:
        """Return what is known of an object."""
        try:
            found = await self._call(uri, self._about)
        except FileNotFoundError:
            return None
        return Blob(uri, found["size"], found["last_modified"].timestamp())

    async def list(self, uri_prefix: str, *, limit: int | None = None) -> list[Blob]:
        """Return the objects below a folder."""

        def pages(store: ObjectStore, path: str) -> list[Blob]:
            found: list[Blob] = []
            for page in self._obstore.list(store, path.rstrip("/") or None, chunk_size=1000):
                for about in page:
                    uri = self.uri_of(uri_prefix, about["path"])
                    found.append(Blob(uri, about["size"], about["last_modified"].timestamp()))
                if limit is not None and len(found) > limit:
                    break
            return _without_folders(sorted(found))[:limit]

        return await self._call(uri_prefix, pages)

    async def open_read(self, uri: str, *, block_bytes: int | None = None) -> AsyncReadable:
        """Open an object to read by ranges."""

        async def fetch(options: GetOptions, first_bytes: int | None) -> Answer:
            def read(store: ObjectStore, path: str) -> Answer:
                found = self._obstore.get(store, path, options=options)
                if first_bytes is None:
                    return found.meta, bytes(found.bytes())
                return found.meta, next(iter(found.stream(min_chunk_size=first_bytes)), b"")

            return await self._call(uri, read)

        return await RangeReader.open(uri, fetch, block_bytes)

    async def open_write(self, uri: str) -> AsyncWritable:
        """Begin to write an object; small ones are one request."""
        store, path = await self._in_thread(lambda: self._located(uri))

        def put(data: bytes | Iterator[bytes]) -> None:
            with explained(uri):
                self._put(store, path, data, PART_BYTES)

        return PartWriter(put, PART_BYTES)

    # ---- what threads do -----------------------------------------------------------------------------------

    def _about(self, store: ObjectStore, path: str) -> Any:
        return self._obstore.head(store, path)

    def _upload(self, store: ObjectStore, path: str, pieces: _Pieces, uri: str) -> str:
        size = pieces.size(uri)
        if size <= PART_BYTES:
            self._put(store, path, b"".join(pieces), PART_BYTES)
        else:
            self._put(store, path, iter(pieces), max(PART_BYTES, size // PARTS_MAX))
        return pieces.content.hexdigest()

    def _put(self, store: ObjectStore, path: str, data: bytes | Iterator[bytes], part_bytes: int) -> None:
        self._obstore.put(
            store,
            path,
            data,
            use_multipart=not isinstance(data, bytes),
            chunk_size=part_bytes,
            max_concurrency=PARTS_AT_ONCE,
        )

    def _begin(self, store: ObjectStore, path: str, uri: str, part: Path) -> Version | None:
        """Fetch a small object, or the first range of a large one; return its version if there is more."""
        found = self._obstore.get(store, path)
        version = Version(uri, found.meta)
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            if version.size <= PART_BYTES:
                file.write(found.bytes())
                return None
            if self._is_fetched(store, path, version, file.fileno(), 0):
                return version
            _save(found, file.fileno(), 0, version.size)  # a server without ranges sends the whole, in order
            return None

    def _is_fetched(self, store: ObjectStore, path: str, version: Version, file: int, start: int) -> bool:
        """Fetch a range; False if the server knows no ranges."""
        from obstore.exceptions import NotSupportedError

        end = min(start + PART_BYTES, version.size)
        options: GetOptions = {"range": (start, end), "if_match": version.match}
        try:
            got = self._obstore.get(store, path, options=options)
        except NotSupportedError:
            return False
        version.check(got.meta)
        _save(got, file, start, end)
        return True

    async def _fetch_ranges(self, uri: str, version: Version, part: Path) -> None:
        starts = iter(range(PART_BYTES, version.size, PART_BYTES))
        with part.open("r+b") as file:

            async def fetch(start: int) -> None:
                await self._call(uri, lambda s, path: self._is_fetched(s, path, version, file.fileno(), start))

            async def work() -> None:
                for start in starts:
                    await fetch(start)

            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(PARTS_AT_ONCE):
                        group.create_task(work())
            except ExceptionGroup as failures:
                raise failures.exceptions[0] from None

    # ---- threads -------------------------------------------------------------------------------------------

    async def _call(self, uri: str, request: Callable[[ObjectStore, str], T]) -> T:
        def work() -> T:
            store, path = self._located(uri)
            with explained(uri):
                return request(store, path)

        return await self._in_thread(work)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Return what a thread returns; a cancellation waits for it, whose files and buffers must stay."""
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait({running})
            raise

    def _located(self, uri: str) -> tuple[ObjectStore, str]:
        if self._pid not in (None, os.getpid()):
            raise RuntimeError(
                "this process was forked after its parent had moved files, whose threads it has not; "
                "start it with multiprocessing.get_context('spawn')"
            )
        self._pid = os.getpid()
        return self.locate(uri)

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(THREADS, thread_name_prefix="upwell-io")

    @property
    def _obstore(self) -> Any:
        import obstore

        return obstore


class _Pieces:
    """The parts of a file, hashed as they are read."""

    def __init__(self, local: Path) -> None:
        self._local = local
        self._is_stopped = False
        self.content = CONTENT_HASH()

    def size(self, uri: str) -> int:
        """Return the file's size."""
        if not self._local.is_file():
            raise FileNotFoundError(f"no file {str(self._local)!r} to upload to {uri!r}")
        return self._local.stat().st_size

    def stop(self) -> None:
        """Have who iterates give up."""
        self._is_stopped = True

    def __iter__(self) -> Iterator[bytes]:
        with self._local.open("rb", buffering=0) as file:
            while piece := file.read(PART_BYTES):
                if self._is_stopped:
                    raise InterruptedError("the upload was given up")
                self.content.update(piece)
                yield piece


def _save(got: GetResult, file: int, start: int, end: int) -> None:
    """Write what comes of a range to its place in a file."""
    for piece in got.stream(min_chunk_size=_PIECE_BYTES):
        start += os.pwrite(file, piece, start)
    if start != end:
        raise OSError(f"got {end - start:,} bytes less than the server had promised; try again")


def _without_folders(found: list[Blob]) -> list[Blob]:
    """Leave out the empty objects that consoles make for folders."""
    return [
        blob
        for blob, following in zip_longest(found, found[1:])
        if blob.size_bytes or following is None or not following.uri.startswith(f"{blob.uri}/")
    ]
