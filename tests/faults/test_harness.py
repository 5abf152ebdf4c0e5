"""The fault harness on the local adapters: programs survive random faults, and it sees what is broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bench.faults.__main__ import run_all
from bench.faults.breaks import GUARDS, Guard
from bench.faults.local import LocalBackend
from bench.faults.report import RUNS_FOR_EVERY_KIND, RunReport, Summary

RUNS, BROKEN_RUNS = 40, 15


@contextmanager
def backend(root: Path, broken: Guard | None = None) -> Iterator[LocalBackend]:
    opened = LocalBackend(root, broken)
    try:
        yield opened
    finally:
        opened.close()


def test_random_programs_survive_random_faults(tmp_path: Path) -> None:
    with backend(tmp_path) as local:
        summary = run_all(local, range(1, RUNS + 1), None)
    assert summary.failed == []
    hows = {kind.split()[0] for kind in summary.happened}
    assert hows >= {"kill", "throw", "stall", "drain", "lease", "message", "messages", "delete"}


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_that_is_taken_out_is_missed(tmp_path: Path, guard: Guard) -> None:
    with backend(tmp_path, guard) as local:
        assert any(local.run(seed).wrong for seed in range(1, BROKEN_RUNS + 1))


def report(seed: int, wrong: list[str], *happened: str) -> RunReport:
    return RunReport(seed=seed, wrong=wrong, happened=Counter(happened), actions=1, virtual_s=1, wall_s=0)


def test_a_failed_run_and_a_fault_that_never_happened_fail_the_command() -> None:
    summary = Summary(backend="local", kinds=["a", "b"])
    summary.add(report(1, [], "a"))
    assert summary.exit_code == 0
    summary.add(report(2, ["wrong"], "a"))
    assert summary.exit_code == 1
    assert "--seed 2" in "\n".join(summary.lines())
    unlucky = Summary(backend="local", kinds=["a", "b"])
    for seed in range(RUNS_FOR_EVERY_KIND):
        unlucky.add(report(seed, [], "a"))
    assert (unlucky.missing, unlucky.exit_code) == (["b"], 1)
