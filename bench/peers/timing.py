"""What every contender's program reports: one line of JSON. It imports nothing but the standard library.

A program is called with a mode and a size. `fanout`: n calls at once of a task that returns its input. `chain`:
n calls, one after the other. `traces`: n calls of the engine's lightest checkpointed function in one task.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STARTED_AT = "BENCH_STARTED_AT"
"""Variable: Unix seconds at which the process was started."""
STATE = "BENCH_STATE"
"""Variable: an empty folder for databases and the like."""
MARK = "RESULT "


def arguments() -> tuple[str, int]:
    """Return the mode and the size that the program was called with."""
    return sys.argv[1], int(sys.argv[2])


def state_dir() -> Path:
    return Path(os.environ[STATE])


def report(
    first: Callable[[], Any],
    whole: Callable[[], Any],
    expected: Any,
    more: Callable[[], dict[str, Any]] = dict,
) -> None:
    """Run a first call and then the whole; print seconds to the first result, of the whole, and peak memory.

    `more` is called at the end and gives further figures.

    Raises:
        SystemExit: the whole returned something else than what is expected.
    """
    first()
    first_s = time.time() - float(os.environ[STARTED_AT])
    start, cpu_start = time.perf_counter(), time.process_time()
    got = whole()
    wall_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu_start
    if got != expected:
        raise SystemExit(f"wrong result: {str(got)[:80]}, not {str(expected)[:80]}")
    figures = {"first_s": first_s, "wall_s": wall_s, "cpu_s": cpu_s, "peak_mib": peak_mib(), **more()}
    print(MARK + json.dumps(figures), flush=True)


def peak_mib() -> float:
    """Return the peak of this process's resident memory. `ru_maxrss` would count the parent's before exec."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
