"""A local and a remote IO context: the same files behind, with one of them under a scheme of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from upwell._aws.clients import Clients
from upwell._aws.s3_transfer import S3Transfer
from upwell._types.io_context import IoContext, local_transfers, use_io_context
from upwell.testing.moto_aws import ENVIRONMENT, REGION
from upwell.testing.moto_s3 import moto_s3_access

BUCKET = "upwell-test-data"


@pytest.fixture
def local_io(tmp_path: Path) -> Iterator[IoContext]:
    context = IoContext(raw_data_prefix=str(tmp_path / "raw"), scratch_dir=tmp_path / "scratch")
    with use_io_context(context):
        yield context


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with mock_aws():
        clients = Clients(region=REGION, environment=ENVIRONMENT)
        clients.s3.create_bucket(Bucket=BUCKET)
        yield BUCKET
        clients.close()


@pytest.fixture
def remote_io(bucket: str, tmp_path: Path) -> Iterator[IoContext]:
    context = IoContext(
        raw_data_prefix=f"s3://{bucket}/data/{tmp_path.name}",
        scratch_dir=tmp_path / "scratch",
        transfers={**local_transfers(), "s3": S3Transfer(moto_s3_access)},
    )
    with use_io_context(context):
        yield context


@pytest.fixture(params=["local", "remote"])
def io_context(request: pytest.FixtureRequest) -> IoContext:
    context: IoContext = request.getfixturevalue(f"{request.param}_io")
    return context
