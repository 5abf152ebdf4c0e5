"""Local files and folders that are inputs of a run: executors elsewhere get copies in the blob store."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from upwell._client.backend import open_backend
from upwell._client.config import current_config
from upwell._core.keys import DATA
from upwell._core.limits import MIB
from upwell._core.ports import BlobStore
from upwell._types.reference import Reference
from upwell._types.transfer import is_local
from upwell.errors import UsageError
from upwell.io import Directory

FILE_MAX_BYTES = 1024 * MIB
"""A larger file would not fit in memory with ease; it is better in S3 beforehand."""
AT_ONCE = 8


async def uploaded(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs whose local references are replaced by uploaded copies.

    Copies have names by content: what was uploaded before is not uploaded again, and cached results are found.

    Raises:
        UsageError: a file is too large for this way.
    """
    if not any(_local_references(value) for value in inputs.values()):
        return dict(inputs)
    config = current_config()
    async with open_backend(config.mode, config) as backend:
        uploads = _Uploads(backend.blobs)
        return {name: await uploads.replace(value) for name, value in inputs.items()}


def _local_references(value: Any) -> list[Reference]:
    items = value if isinstance(value, list | tuple | set | frozenset) else [value]
    return [item for item in items if isinstance(item, Reference) and is_local(item.path)]


class _Uploads:
    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def replace(self, value: Any) -> Any:
        """Return a value, or a collection of values, with its references uploaded."""
        if not _local_references(value):
            return value
        if isinstance(value, Reference):
            return await self._upload(value)
        replaced = [await self.replace(item) for item in value]
        return type(value)(replaced)

    async def _upload(self, reference: Reference) -> Reference:
        path = Path(reference.path)
        if isinstance(reference, Directory):
            uri = await self._folder(path)
        else:
            data = await asyncio.to_thread(_read, path)
            uri = await self._put(f"{DATA}inputs/{_digest(data)}/{path.name}", data)
        return reference.model_copy(update={"path": uri, "name": path.name})

    async def _folder(self, path: Path) -> str:
        files = await asyncio.to_thread(lambda: sorted(p for p in path.rglob("*") if p.is_file()))
        names = [file.relative_to(path).as_posix() for file in files]
        digests = [_digest(await asyncio.to_thread(_read, file)) for file in files]
        listing = "\n".join(f"{name} {digest}" for name, digest in zip(names, digests, strict=True))
        prefix = f"{DATA}inputs/{_digest(listing.encode())}/{path.name}"

        async def put(name: str, file: Path) -> None:
            async with self._slots:
                await self._put(f"{prefix}/{name}", await asyncio.to_thread(_read, file))

        await asyncio.gather(*(put(name, file) for name, file in zip(names, files, strict=True)))
        return self._blobs.uri(prefix)

    async def _put(self, key: str, data: bytes) -> str:
        if not await self._blobs.exists(key):
            await self._blobs.put(key, data)
        return self._blobs.uri(key)


def _read(path: Path) -> bytes:
    size = path.stat().st_size
    if size > FILE_MAX_BYTES:
        raise UsageError(
            f"{path} has {size / MIB:.0f} MiB, above the {FILE_MAX_BYTES // MIB} that are uploaded from here; "
            "put it in S3 and pass its s3:// URI"
        )
    return path.read_bytes()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
