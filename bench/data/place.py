"""Where data is moved from and to: a server that speaks S3, in a process of its own, and folders in memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upwell._aws.s3_transfer import S3Transfer
from upwell._types.io_context import IoContext, local_transfers

BUCKET = "bench"
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A server and a folder.

    Attributes:
        url: Of the server.
        folder: On this machine, for files to upload and downloads; it and the server's are in memory where
            that is possible, so that no disk is measured.
    """

    url: str
    folder: Path

    def environment(self) -> dict[str, str]:
        """Return what leads AWS's SDKs to the server."""
        return {
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
        }

    def io(self) -> IoContext:
        """Return a context for `upwell.io` in this process, whose environment leads to the server."""
        return IoContext(
            raw_data_prefix=f"s3://{BUCKET}/data",
            scratch_dir=self.folder / "scratch",
            transfers={**local_transfers(), "s3": S3Transfer()},
        )

    def boto3(self) -> Any:
        """Return boto3's client of the server."""
        import boto3

        return boto3.client("s3")

    def make_file(self, name: str, size_bytes: int) -> Path:
        """Make a file of random bytes, a MiB of which is repeated."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        piece = os.urandom(min(size_bytes, _PIECE_BYTES))
        with path.open("wb") as file:
            for start in range(0, size_bytes, _PIECE_BYTES):
                file.write(piece[: size_bytes - start])
        return path


@contextmanager
def data_place(latency_ms: float = 0.0) -> Iterator[Place]:
    """Start a server for the block, and have this process's environment lead to it."""
    memory = "/dev/shm"
    root = Path(tempfile.mkdtemp(prefix="upwell-bench-", dir=memory if os.path.isdir(memory) else None))
    (root / "server" / BUCKET).mkdir(parents=True)
    command = [sys.executable, "-m", "bench.data.s3_server", str(root / "server"), str(latency_ms)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    before = dict(os.environ)
    try:
        assert server.stdout is not None  # it is a pipe
        place = Place(url=server.stdout.readline().strip(), folder=root / "here")
        os.environ.update(place.environment())
        yield place
    finally:
        os.environ.clear()
        os.environ.update(before)
        server.terminate()
        server.communicate()
        shutil.rmtree(root, ignore_errors=True)
