"""Blobs as objects in the platform's bucket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from upwell._aws.clients import Clients
from upwell._aws.errors import clear_errors, is_code
from upwell._core.garbage import REFRESH_S, BlobInfo
from upwell._core.keys import VALUES
from upwell._core.ports import BlobNotFoundError
from upwell._core.settings import Settings
from upwell.errors import UsageError

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

T = TypeVar("T")

EXISTS = frozenset({"PreconditionFailed", "412"})
"""`If-None-Match: *` did not hold: there is such an object."""
CONFLICT = frozenset({"ConditionalRequestConflict", "409"})
"""Another write of the key is under way; whether it succeeds is open."""
CONFLICT_DELAYS_S = (0.05, 0.2, 0.8, 3.2)
"""Before each further try after a conflict."""
PAGE_KEYS = 1000
"""Keys in one answer to a listing."""
DELETE_MAX = 1000
"""Keys in one request to delete."""
NOT_FOUND = frozenset({"NoSuchKey", "404"})


class S3Blobs:
    """`BlobStore` on S3.

    Args:
        clients: Makes the requests.
        settings: Names the bucket.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._bucket = settings.bucket

    async def put(self, key: str, data: bytes) -> None:
        """Write a blob; when the key exists already, keep what is there."""
        for delay_s in (*CONFLICT_DELAYS_S, None):
            try:
                await self._call(
                    lambda: self._clients.s3.put_object(
                        Bucket=self._bucket, Key=key, Body=data, IfNoneMatch="*"
                    )
                )
            except ClientError as e:
                if is_code(e, EXISTS):
                    await self._refresh(key, data)
                    return
                if not is_code(e, CONFLICT) or delay_s is None:
                    raise
                await asyncio.sleep(delay_s)
            else:
                return

    async def get(self, key: str) -> bytes:
        """Return a blob.

        Raises:
            BlobNotFoundError: there is none.
        """
        try:
            return await self._call(
                lambda: self._clients.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            )
        except ClientError as e:
            if is_code(e, NOT_FOUND):
                raise BlobNotFoundError(f"no blob {key!r} in bucket {self._bucket}") from e
            raise

    async def exists(self, key: str) -> bool:
        """Whether there is such a blob."""
        try:
            await self._call(lambda: self._clients.s3.head_object(Bucket=self._bucket, Key=key))
        except ClientError as e:
            if is_code(e, NOT_FOUND):
                return False
            raise
        return True

    async def is_younger(self, key: str, age_s: float) -> bool:
        """Whether there is such a blob, written less than so many seconds ago."""
        try:
            found = await self._call(lambda: self._clients.s3.head_object(Bucket=self._bucket, Key=key))
        except ClientError as e:
            if is_code(e, NOT_FOUND):
                return False
            raise
        return time.time() - found["LastModified"].timestamp() < age_s

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """Yield the blobs whose keys start with a prefix, page by page."""
        start = ""
        while True:
            page = await self._call(
                lambda start=start: self._clients.s3.list_objects_v2(  # type: ignore[misc]  # a default, not a type
                    Bucket=self._bucket, Prefix=prefix, StartAfter=start, MaxKeys=PAGE_KEYS
                )
            )
            for item in page.get("Contents", []):
                start = item["Key"]
                yield BlobInfo(start, item["Size"], item["LastModified"].timestamp())
            if not page["IsTruncated"]:
                return

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete blobs, a thousand with a request."""
        for n in range(0, len(keys), DELETE_MAX):
            objects: Sequence[ObjectIdentifierTypeDef] = [{"Key": key} for key in keys[n : n + DELETE_MAX]]
            await self._delete(objects)

    async def _delete(self, objects: Sequence[ObjectIdentifierTypeDef]) -> None:
        answer = await self._call(
            lambda: self._clients.s3.delete_objects(
                Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True}
            )
        )
        for error in answer.get("Errors", []):
            raise UsageError(
                f"cannot delete {error.get('Key')!r} of bucket {self._bucket}: {error.get('Message')}; "
                "it takes the permission s3:DeleteObject"
            )

    async def _refresh(self, key: str, data: bytes) -> None:
        """Write a shared blob again that is so old that it might be taken for garbage."""
        if key.startswith(VALUES) or await self.is_younger(key, REFRESH_S):
            return
        await self._call(lambda: self._clients.s3.put_object(Bucket=self._bucket, Key=key, Body=data))

    def uri(self, key: str) -> str:
        """Return the address of a key: `s3://bucket/key`."""
        return f"s3://{self._bucket}/{key}"

    async def _call(self, request: Callable[[], T]) -> T:
        with clear_errors(f"bucket {self._bucket}"):
            return await self._clients.call(request)
