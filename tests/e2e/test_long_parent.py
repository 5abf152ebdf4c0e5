"""A parent that outlives its invocations: the example, smaller."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

EXAMPLE = Path(__file__).parents[2] / "examples" / "long_parent.py"


def test_a_parent_outlives_its_invocations(tmp_path: Path) -> None:
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "UPWELL_"))}
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "--json", "--steps", "3", "--seconds", "3", "--lambda-timeout-s", "8"],
        cwd=tmp_path,
        env=inherited,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["replays"] >= 1
    assert figures["billed_parent_s"] < figures["wall_s"]
