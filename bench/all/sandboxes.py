"""State of its own for the programs of an experiment."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import upwell
from upwell._client.sandbox import sandbox_command

STATE_DIR = "UPWELL_STATE_DIR"


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
def runs_go_to(backend: str, state_dir: Path) -> Iterator[None]:
    """Let runs of this process, and of those that it starts, go to a backend whose state is in a folder."""
    before = os.environ.get(STATE_DIR)
    os.environ[STATE_DIR] = str(state_dir)
    upwell.init(mode=backend, state_dir=state_dir)
    try:
        yield
    finally:
        os.environ.pop(STATE_DIR)
        if before is not None:
            os.environ[STATE_DIR] = before
