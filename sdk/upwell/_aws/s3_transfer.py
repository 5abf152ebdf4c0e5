"""Files and directories of `upwell.io` in S3: threads, range reads, multipart writes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from upwell._core.limits import MIB
from upwell._types.transfer import AsyncReadable, AsyncWritable

if TYPE_CHECKING:
    from upwell._aws.clients import Clients

T = TypeVar("T")

PART_BYTES = 8 * MIB
"""Size of one part of a multipart upload, which S3 wants to be at least 5 MiB."""
READ_AHEAD_BYTES = 1 * MIB
"""Least size of a range read; smaller reads are served from what is left of it."""
PARTS_AT_ONCE = 8
"""Parts of one file that boto3 moves at the same time."""
_NOT_FOUND = frozenset({"NoSuchKey", "NotFound", "404"})
_CHANGED = frozenset({"PreconditionFailed", "412"})


class S3Transfer:
    """`BlobTransfer` for `s3://bucket/key`. boto3 is loaded at the first transfer.

    Args:
        clients: Makes the requests; by default clients of its own, configured by the environment.
    """

    def __init__(self, clients: Clients | None = None) -> None:
        self._given = clients

    @property
    def _clients(self) -> Clients:
        if self._given is None:
            from upwell._aws.clients import Clients  # boto3 must not load for runs that never touch S3

            self._given = Clients()
        return self._given

    async def upload(self, local: Path, uri: str) -> None:
        """Upload a file, large ones in parallel parts."""
        bucket, key = split_uri(uri)
        if not await asyncio.to_thread(local.is_file):
            raise FileNotFoundError(f"no file {str(local)!r} to upload to {uri!r}")
        await self._call(uri, lambda s3: s3.upload_file(str(local), bucket, key, Config=_transfer_config()))

    async def download(self, uri: str, local: Path) -> None:
        """Download an object, large ones in parallel ranges."""
        bucket, key = split_uri(uri)
        await asyncio.to_thread(local.parent.mkdir, parents=True, exist_ok=True)
        await self._call(uri, lambda s3: s3.download_file(bucket, key, str(local), Config=_transfer_config()))

    async def exists(self, uri: str) -> bool:
        """Say whether there is an object."""
        bucket, key = split_uri(uri)
        try:
            await self._call(uri, lambda s3: s3.head_object(Bucket=bucket, Key=key))
        except FileNotFoundError:
            return False
        return True

    async def list(self, uri_prefix: str, *, limit: int | None = None) -> list[tuple[str, int]]:
        """Return the objects below a folder."""
        bucket, key = split_uri(uri_prefix)
        prefix = f"{key.rstrip('/')}/" if key else ""

        def pages(s3: Any) -> list[tuple[str, int]]:
            paginator = s3.get_paginator("list_objects_v2")
            found = paginator.paginate(Bucket=bucket, Prefix=prefix, PaginationConfig={"MaxItems": limit})
            return [
                (f"s3://{bucket}/{item['Key']}", item["Size"])
                for page in found
                for item in page.get("Contents", [])
                if not item["Key"].endswith("/")  # folder markers that consoles make
            ]

        return await self._call(uri_prefix, pages)

    async def open_read(self, uri: str) -> AsyncReadable:
        """Open an object to read by ranges."""
        bucket, key = split_uri(uri)
        head = await self._call(uri, lambda s3: s3.head_object(Bucket=bucket, Key=key))
        return _RangeReader(self, uri, size=head["ContentLength"], etag=head["ETag"])

    async def open_write(self, uri: str) -> AsyncWritable:
        """Begin to write an object; small ones are one request."""
        split_uri(uri)
        return _PartWriter(self, uri)

    async def _call(self, uri: str, request: Callable[[Any], T]) -> T:
        clients = self._clients
        with _explained(uri):
            return await clients.call(lambda: request(clients.s3))


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://` URI.

    Raises:
        ValueError: it is not one.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise ValueError(f"{uri!r} is not an S3 URI; write s3://bucket/key")
    return bucket, key


def _transfer_config() -> Any:
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(multipart_chunksize=PART_BYTES, max_concurrency=PARTS_AT_ONCE)


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    """Raise what Python raises for missing files, and otherwise what all AWS adapters raise."""
    from boto3.exceptions import S3UploadFailedError
    from botocore.exceptions import ClientError

    from upwell._aws.errors import clear_errors, is_code

    try:
        with clear_errors(uri):
            yield
    except ClientError as e:
        if is_code(e, _NOT_FOUND):
            raise FileNotFoundError(f"no object {uri!r}; was it written, and by this account?") from e
        if is_code(e, _CHANGED):
            raise OSError(f"{uri!r} was replaced while it was read; read it again") from e
        raise
    except S3UploadFailedError as e:
        raise OSError(f"upload to {uri!r} failed: {e}") from e


class _RangeReader:
    def __init__(self, transfer: S3Transfer, uri: str, *, size: int, etag: str) -> None:
        self._transfer = transfer
        self._uri = uri
        self._size = size
        self._etag = etag
        self._position = 0
        self._ahead = b""
        self._ahead_at = 0

    async def read(self, size: int = -1) -> bytes:
        left = max(self._size - self._position, 0)
        wanted = left if size < 0 else min(size, left)
        if wanted == 0:
            return b""
        start = self._position - self._ahead_at
        if not (start >= 0 and start + wanted <= len(self._ahead)):
            self._ahead = await self._fetch(self._position, min(max(wanted, READ_AHEAD_BYTES), left))
            self._ahead_at, start = self._position, 0
        self._position += wanted
        return self._ahead[start : start + wanted]

    async def seek(self, offset: int, whence: int = 0) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to {base + offset}, before the start of {self._uri!r}")
        self._position = base + offset
        return self._position

    async def close(self) -> None:
        self._ahead = b""

    async def _fetch(self, start: int, size: int) -> bytes:
        bucket, key = split_uri(self._uri)

        def get(s3: Any) -> bytes:
            byte_range = f"bytes={start}-{start + size - 1}"
            found = s3.get_object(Bucket=bucket, Key=key, Range=byte_range, IfMatch=self._etag)
            data: bytes = found["Body"].read()
            return data

        return await self._transfer._call(self._uri, get)


class _PartWriter:
    def __init__(self, transfer: S3Transfer, uri: str) -> None:
        self._transfer = transfer
        self._uri = uri
        self._bucket, self._key = split_uri(uri)
        self._pending = bytearray()
        self._upload_id: str | None = None
        self._parts: list[dict[str, Any]] = []

    async def write(self, data: bytes) -> None:
        self._pending += data
        while len(self._pending) >= PART_BYTES:
            part = bytes(self._pending[:PART_BYTES])
            del self._pending[:PART_BYTES]
            await self._send_part(part)

    async def close(self) -> None:
        if self._upload_id is None:
            body = bytes(self._pending)
            await self._call(lambda s3: s3.put_object(Bucket=self._bucket, Key=self._key, Body=body))
            return
        if self._pending:
            await self._send_part(bytes(self._pending))
        parts = {"Parts": self._parts}
        await self._call(
            lambda s3: s3.complete_multipart_upload(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload_id, MultipartUpload=parts
            )
        )

    async def abort(self) -> None:
        self._pending.clear()
        if self._upload_id is not None:
            await self._call(
                lambda s3: s3.abort_multipart_upload(
                    Bucket=self._bucket, Key=self._key, UploadId=self._upload_id
                )
            )

    async def _send_part(self, data: bytes) -> None:
        if self._upload_id is None:
            begun = await self._call(lambda s3: s3.create_multipart_upload(Bucket=self._bucket, Key=self._key))
            self._upload_id = begun["UploadId"]
        number = len(self._parts) + 1
        sent = await self._call(
            lambda s3: s3.upload_part(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload_id, PartNumber=number, Body=data
            )
        )
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})

    async def _call(self, request: Callable[[Any], T]) -> T:
        return await self._transfer._call(self._uri, request)
