"""Measures how long a function ran, without the time in which others of its process had the processor."""

from __future__ import annotations

import os
import time
from typing import ClassVar

SCHEDULED = "/proc/thread-self/schedstat"
"""Of Linux: the nanoseconds for which this thread ran, and those for which it only could have."""

BUSY = 0.6
"""A process that computes for this part of the time, or more, does nothing else: it is not alone there."""

THREADS_BUSY = 0.25
"""The same for functions in threads: what the engine computes besides is not in it."""


class Stopwatch:
    """Runs from its making until `stop`.

    Where the process computes all the time, each of the functions that run in it gets a part of that time. If
    it does not, because they wait for something, each of them waits for itself.
    """

    _running: ClassVar[int] = 0

    def __init__(self) -> None:
        Stopwatch._running += 1
        self._others = Stopwatch._running
        self._wall_s, self._busy_s = time.perf_counter(), _runnable_s()

    def stop(self, cpu_s: float | None = None) -> float:
        """Return the seconds.

        Args:
            cpu_s: What the function has computed, if it had threads of its own.
        """
        wall_s = time.perf_counter() - self._wall_s
        at_once = (self._others + Stopwatch._running) / 2
        Stopwatch._running -= 1
        all_s = _runnable_s() - self._busy_s if cpu_s is None else cpu_s * at_once
        busy_s = min(wall_s, all_s)
        busy = BUSY if cpu_s is None else THREADS_BUSY
        waits = max(0.0, 1.0 - busy_s / (busy * wall_s)) if wall_s else 0.0
        return waits * wall_s + (1.0 - waits) * busy_s / at_once


def _runnable_s() -> float:
    """Return for how long this thread has had something to compute.

    What it waits for a processor that other programs have counts: otherwise a machine that they keep busy looks
    as one on which functions wait for something. Where the system does not tell, it is the processor time.
    """
    try:
        file = os.open(SCHEDULED, os.O_RDONLY)
    except OSError:
        return time.process_time()
    try:
        ran_ns, waited_ns, *_ = os.read(file, 64).split()
    finally:
        os.close(file)
    return (int(ran_ns) + int(waited_ns)) / 1e9
