"""A local and a remote IO context: the same files behind, with one of them under a scheme of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from upwell._aws.clients import Clients
from upwell._aws.s3_transfer import S3Transfer
from upwell._types.io_context import IoContext, use_io_context
from upwell._types.local_transfer import LocalTransfer

BUCKET = "upwell-test-data"


@pytest.fixture
def local_io(tmp_path: Path) -> Iterator[IoContext]:
    context = IoContext(raw_data_prefix=str(tmp_path / "raw"), scratch_dir=tmp_path / "scratch")
    with use_io_context(context):
        yield context


@pytest.fixture
def remote_io(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[IoContext]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    local = LocalTransfer()
    with mock_aws():
        clients = Clients(region="us-east-1")
        clients.s3.create_bucket(Bucket=BUCKET)
        context = IoContext(
            raw_data_prefix=f"s3://{BUCKET}/data/run-1",
            scratch_dir=tmp_path / "scratch",
            transfers={"": local, "file": local, "s3": S3Transfer(clients)},
        )
        with use_io_context(context):
            yield context
        clients.close()


@pytest.fixture(params=["local", "remote"])
def io_context(request: pytest.FixtureRequest) -> IoContext:
    context: IoContext = request.getfixturevalue(f"{request.param}_io")
    return context
