"""The fault harness on the AWS adapters: requests fail below them, and time is skipped in moto as well."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.faults.__main__ import run_all
from bench.faults.moto import MotoBackend

pytestmark = pytest.mark.timeout(240)
RUNS = 4


def test_random_programs_survive_faults_below_the_adapters(tmp_path: Path) -> None:
    backend = MotoBackend(tmp_path)
    try:
        summary = run_all(backend, range(1, RUNS + 1), None)
    finally:
        backend.close()
    assert summary.failed == []
    hows = {kind.split()[0] for kind in summary.happened}
    assert "kill" in hows
    assert len(hows & {"throttle", "500", "reset", "timeout", "by"}) >= 3


def test_a_run_on_moto_that_repeats_its_claims_is_seen(tmp_path: Path) -> None:
    backend = MotoBackend(tmp_path, "claim")
    try:
        assert any(backend.run(seed).wrong for seed in range(1, RUNS + 1))
    finally:
        backend.close()
