"""Writes that go to a folder of this machine in place of where they are meant to go."""

from __future__ import annotations

from pathlib import Path

from upwell._types.transfers.local_transfer import LocalTransfer
from upwell._types.transfers.transfer import AsyncReadable, AsyncWritable, Blob, BlobTransfer


class Overlay:
    """`BlobTransfer` that leaves what is below a prefix as it is, and shows it with what was written.

    Args:
        base: Moves the blobs that are there.
        prefix: Start of the URIs that are not to be written.
        folder: Where what is written to them goes.
    """

    def __init__(self, base: BlobTransfer, prefix: str, folder: Path) -> None:
        self._base = base
        self._prefix = prefix.rstrip("/") + "/"
        self._folder = folder
        self._local = LocalTransfer()

    async def upload(self, local: Path, uri: str) -> str:
        """Copy a file to the folder."""
        path = self._path(uri)
        return await (self._base.upload(local, uri) if path is None else self._local.upload(local, path))

    async def download(self, uri: str, local: Path) -> None:
        """Copy what was written, else what is there."""
        transfer, place = await self._where(uri)
        await transfer.download(place, local)

    async def stat(self, uri: str) -> Blob | None:
        """Return what is known of what was written, else of what is there."""
        transfer, place = await self._where(uri)
        found = await transfer.stat(place)
        return None if found is None else found._replace(uri=uri)

    async def list(self, uri_prefix: str, *, limit: int | None = None) -> list[Blob]:
        """Return what is there and what was written."""
        found = {blob.uri: blob for blob in await self._base.list(uri_prefix, limit=limit)}
        path = self._path(uri_prefix.rstrip("/") + "/")
        for blob in await self._local.list(path) if path is not None else []:
            uri = uri_prefix.rstrip("/") + "/" + Path(blob.uri).relative_to(path or "").as_posix()
            found[uri] = blob._replace(uri=uri)
        return [found[uri] for uri in sorted(found)][:limit]

    async def open_read(self, uri: str, *, block_bytes: int | None = None) -> AsyncReadable:
        """Open what was written, else what is there."""
        transfer, place = await self._where(uri)
        return await transfer.open_read(place, block_bytes=block_bytes)

    async def open_write(self, uri: str) -> AsyncWritable:
        """Begin to write into the folder."""
        path = self._path(uri)
        return await (self._base.open_write(uri) if path is None else self._local.open_write(path))

    def _path(self, uri: str) -> str | None:
        """Return where a URI is in the folder; None if it may be written."""
        return str(self._folder / uri.removeprefix(self._prefix)) if uri.startswith(self._prefix) else None

    async def _where(self, uri: str) -> tuple[BlobTransfer, str]:
        path = self._path(uri)
        if path is not None and await self._local.stat(path) is not None:
            return self._local, path
        return self._base, uri
