"""Files and directories of `upwell.io` in S3."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from upwell._aws.s3_access import S3Access, access_of_process
from upwell._types.transfers.object_transfer import CLIENT, RETRY, ObjectTransfer
from upwell.errors import UsageError

if TYPE_CHECKING:
    from obstore.store import ObjectStore, S3Store


class S3Transfer(ObjectTransfer):
    """`BlobTransfer` for `s3://bucket/key`.

    Args:
        access: Says how S3 is reached, when something is first moved; by default as the environment says.
    """

    def __init__(self, access: Callable[[], S3Access] = access_of_process) -> None:
        super().__init__()
        self._access = access
        self._lock = threading.Lock()
        self._stores: dict[str, S3Store] = {}

    def locate(self, uri: str) -> tuple[ObjectStore, str]:
        """Return the store of a bucket, and the key."""
        bucket, key = split_uri(uri)
        with self._lock:
            if bucket not in self._stores:
                self._stores[bucket] = _store(bucket, self._access())
            return self._stores[bucket], key

    def uri_of(self, uri: str, path: str) -> str:
        """Return the URI of another key in a URI's bucket."""
        return f"s3://{split_uri(uri)[0]}/{path}"


def _store(bucket: str, access: S3Access) -> S3Store:
    try:
        from obstore.store import S3Store
    except ImportError as e:
        raise UsageError("files in S3 want obstore: pip install 'upwell[aws]'") from e
    return S3Store(
        bucket,
        endpoint=access.endpoint,
        region=access.region,
        # As boto3 does over TLS, which protects the content: it is hashed once, for its digest.
        unsigned_payload=True,
        credential_provider=access.credentials,
        client_options={**CLIENT, "allow_http": access.endpoint.startswith("http://")},
        retry_config=RETRY,
    )


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://` URI.

    Raises:
        ValueError: it is not one.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise ValueError(f"{uri!r} is not an S3 URI; write s3://bucket/key")
    return bucket, key
