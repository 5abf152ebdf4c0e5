"""Work that shares a process, or a machine, is measured without what the others do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from upwell._exec import stopwatch
from upwell._exec.stopwatch import Stopwatch


class Machine:
    """What the clocks of a machine say."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, *, tells: bool = True) -> None:
        self.wall_s = self.cpu_s = self.runnable_s = 100.0
        self._file = folder / "schedstat"
        monkeypatch.setattr(time, "perf_counter", lambda: self.wall_s)
        monkeypatch.setattr(time, "process_time", lambda: self.cpu_s)
        monkeypatch.setattr(stopwatch, "SCHEDULED", str(self._file if tells else folder / "none"))
        self.passes(0.0)

    def passes(self, wall_s: float, *, computing: float = 0.0, queued: float = 0.0) -> None:
        """Let time pass, in parts of which this process computes, or would if other programs let it."""
        self.wall_s += wall_s
        self.cpu_s += wall_s * computing
        self.runnable_s += wall_s * (computing + queued)
        waited_ns = round((self.runnable_s - self.cpu_s) * 1e9)
        self._file.write_text(f"{round(self.cpu_s * 1e9)} {waited_ns} 17\n")


@pytest.mark.parametrize(
    ("computing", "queued", "expected_s"),
    [
        (1.0, 0.0, 0.5),  # each of ten has its part of the time in which the process computes
        (0.4, 0.6, 0.5),  # and no less of it where other programs have the processor
        (0.0, 0.0, 5.0),  # each of them waits for itself
    ],
)
def test_ten_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, computing: float, queued: float, expected_s: float
) -> None:
    machine = Machine(monkeypatch, tmp_path)
    watches = [Stopwatch() for _ in range(10)]
    machine.passes(5.0, computing=computing, queued=queued)
    assert watches.pop().stop() == pytest.approx(expected_s)
    for watch in watches:
        watch.stop()


def test_without_word_of_the_system_it_is_processor_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = Machine(monkeypatch, tmp_path, tells=False)
    watch = Stopwatch()
    machine.passes(2.0, computing=1.0)
    assert watch.stop() == pytest.approx(2.0)
