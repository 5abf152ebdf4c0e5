"""How S3 is reached without boto3's client: endpoint, region and credentials that stay fresh."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upwell._aws.clients import Clients

CREDENTIALS_TTL = timedelta(minutes=8)
"""For how long what botocore gives out is used: it renews it 10 minutes before its end at the latest."""
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Access:
    """How S3 is reached.

    Attributes:
        endpoint: URL below which buckets are.
        region: Region of the requests.
        credentials: Returns what obstore takes for credentials, with the time until which they are used.
    """

    endpoint: str
    region: str
    credentials: Callable[[], Any]


def access_of_clients(clients: Clients) -> S3Access:
    """Return how the clients reach S3: by boto3's configuration, profile and credentials, renewed as it does.

    Raises:
        UsageError: there are no credentials, or no region.
    """
    from botocore.exceptions import NoCredentialsError

    from upwell._aws.errors import clear_errors

    with clear_errors("S3"):
        meta = clients.s3.meta
        credentials = clients.credentials()
        if credentials is None:
            raise NoCredentialsError()

    def fresh() -> dict[str, Any]:
        frozen = credentials.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + CREDENTIALS_TTL,
        }

    return S3Access(endpoint=meta.endpoint_url, region=meta.region_name, credentials=fresh)


def access_of_process(environ: Mapping[str, str] = os.environ) -> S3Access:
    """Return how this process reaches S3 by its environment.

    Where that has keys, as on Lambda and in the sandbox, boto3 is not loaded, which takes half a second.
    """
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if not region or "AWS_PROFILE" in environ or not all(environ.get(name) for name in _KEYS):
        from upwell._aws.clients import Clients

        return access_of_clients(Clients())
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    found = {
        "access_key_id": environ[_KEYS[0]],
        "secret_access_key": environ[_KEYS[1]],
        "token": environ.get("AWS_SESSION_TOKEN"),
        "expires_at": None,
    }
    return S3Access(
        endpoint=endpoint or f"https://s3.{region}.amazonaws.com", region=region, credentials=lambda: found
    )
