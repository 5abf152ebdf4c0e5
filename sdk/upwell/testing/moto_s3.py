"""S3 as moto emulates it, behind a socket: what moves files speaks HTTP itself, where boto3 can be patched."""

from __future__ import annotations

import logging
from functools import cache

from moto.server import ThreadedMotoServer

from upwell._aws.s3_access import S3Access
from upwell.testing.moto_aws import ENVIRONMENT, REGION


@cache
def moto_s3_url() -> str:
    """Return where this process's moto answers, with the buckets of `mock_aws`; the first call starts it."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it tells of every request
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def moto_s3_access() -> S3Access:
    """Return how files reach moto."""
    keys = {
        "access_key_id": ENVIRONMENT["AWS_ACCESS_KEY_ID"],
        "secret_access_key": ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
        "token": None,
        "expires_at": None,
    }
    return S3Access(endpoint=moto_s3_url(), region=REGION, credentials=lambda: keys)
