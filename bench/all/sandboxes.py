"""State of its own for the programs of an experiment."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import upwell
from upwell._client.sandbox import sandbox_command


@contextmanager
def shared_sandbox() -> Iterator[Path]:
    """Start a sandbox, give its state folder, and stop it at the end of the block."""
    state_dir = Path(tempfile.mkdtemp(prefix="upwell-bench-"))
    try:
        subprocess.run(sandbox_command(state_dir, "start"), check=True, capture_output=True)
        yield state_dir
    finally:
        subprocess.run(sandbox_command(state_dir, "stop"), check=False, capture_output=True)
        shutil.rmtree(state_dir, ignore_errors=True)


@contextmanager
def local_state() -> Iterator[None]:
    """Let runs of this process go to the local backend, with an empty folder."""
    with tempfile.TemporaryDirectory(prefix="upwell-bench-", ignore_cleanup_errors=True) as folder:
        upwell.init(mode="local", state_dir=folder)
        yield
