"""The small benchmarks run, and print figures of what they ran."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench import chain, fanout, traces


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPWELL_STATE_DIR", str(tmp_path))


def test_chains_are_measured() -> None:
    figures = chain.measure("local", 3, 1)
    assert set(figures) == {"backend", "n", "reps", "sequence_ms_per_hop", "nested_ms_per_hop"}


def test_traces_are_measured_and_their_appends_counted() -> None:
    figures = traces.measure("local", 300, 1)
    assert float(figures["one_by_one_appends"]) < 300 / 20
    assert float(figures["at_once_appends"]) < 300 / 20


def test_each_size_of_a_fan_out_is_measured_in_a_process_of_its_own() -> None:
    small, large = fanout.measure_all("local", [2, 20], 1)
    assert (small["n"], large["n"]) == (2, 20)
    assert float(small["peak_mib"]) > 0
