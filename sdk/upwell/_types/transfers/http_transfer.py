"""Files that are read from web servers."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from upwell._types.transfers.object_errors import shown
from upwell._types.transfers.object_transfer import CLIENT, RETRY, ObjectTransfer
from upwell._types.transfers.transfer import AsyncWritable, Blob
from upwell.errors import UsageError

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class HttpTransfer(ObjectTransfer):
    """`BlobTransfer` for `http://` and `https://`, to read from; queries, as of presigned URLs, are kept."""

    def locate(self, uri: str) -> tuple[ObjectStore, str]:
        """Return a store that has the URL as its root."""
        if not urlsplit(uri).hostname:
            raise ValueError(f"{shown(uri)!r} names no server; write https://host/path")
        try:
            from obstore.store import HTTPStore
        except ImportError as e:
            raise UsageError("http sources want obstore: pip install 'upwell[io]'") from e
        # A store for each URL: its path and query are sent as they are written.
        return HTTPStore(uri, client_options={**CLIENT, "allow_http": True}, retry_config=RETRY), ""

    def uri_of(self, uri: str, path: str) -> str:
        """Return the URL itself: nothing is listed below it."""
        return uri

    def _about(self, store: ObjectStore, path: str) -> Any:
        """Ask for the file, and leave it at its headers: servers need not answer HEAD."""
        return self._obstore.get(store, path).meta

    async def upload(self, local: Path, uri: str) -> str:
        """Refuse to."""
        _refuse(uri)

    async def open_write(self, uri: str) -> AsyncWritable:
        """Refuse to."""
        _refuse(uri)

    async def list(self, uri_prefix: str, *, limit: int | None = None) -> list[Blob]:
        """Refuse to: web servers do not say what they have."""
        raise io.UnsupportedOperation(f"{shown(uri_prefix)!r} cannot be listed; name its files")


def _refuse(uri: str) -> NoReturn:
    raise io.UnsupportedOperation(f"{shown(uri)!r} is read-only; write to a path or an s3:// URI")
