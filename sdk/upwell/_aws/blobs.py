"""Blobs as objects in the platform's bucket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from upwell._aws.clients import Clients
from upwell._aws.errors import clear_errors, is_code
from upwell._core.ports import BlobNotFoundError
from upwell._core.settings import Settings

T = TypeVar("T")

EXISTS = frozenset({"PreconditionFailed", "412"})
"""`If-None-Match: *` did not hold: there is such an object."""
CONFLICT = frozenset({"ConditionalRequestConflict", "409"})
"""Another write of the key is under way; whether it succeeds is open."""
CONFLICT_DELAYS_S = (0.05, 0.2, 0.8, 3.2)
"""Before each further try after a conflict."""
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

    def uri(self, key: str) -> str:
        """Return the address of a key: `s3://bucket/key`."""
        return f"s3://{self._bucket}/{key}"

    async def _call(self, request: Callable[[], T]) -> T:
        with clear_errors(f"bucket {self._bucket}"):
            return await self._clients.call(request)
