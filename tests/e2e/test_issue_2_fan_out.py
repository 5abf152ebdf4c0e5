"""Acceptance: a 1,000-way map, correct and in order, with figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[2]


def figures(backend: str, state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Return what the benchmark prints; it checks values and order itself."""
    monkeypatch.setenv("UPWELL_STATE_DIR", str(state_dir))
    command = [
        sys.executable,
        "-m",
        "bench.fanout",
        "--backend",
        backend,
        "--n",
        "1000",
        "--reps",
        "1",
        "--json",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    printed: dict[str, float] = json.loads(done.stdout)
    return printed


def test_a_thousand_way_map_on_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = figures("local", tmp_path, monkeypatch)
    assert printed["n"] == 1000
    assert printed["ms_per_action"] > 0


def test_a_thousand_way_map_on_the_sandbox(sandbox_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = figures("sandbox", sandbox_state, monkeypatch)
    assert printed["n"] == 1000
    assert printed["ms_per_action"] > 0
