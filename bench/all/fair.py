"""The experiment about two runs at once."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.all.experiment import Setting
from bench.all.rows import Row, at_most
from bench.all.sandboxes import runs_go_to, shared_sandbox
from bench.fairness import measure

RATIO = 2.0


def fairness(setting: Setting, backend: str) -> Iterator[Row]:
    """Compare a small run beside a large one with the same alone."""
    n = 2_000 if setting.quick else 20_000
    if backend == "local":
        temporary = tempfile.TemporaryDirectory(prefix="upwell-bench-", ignore_cleanup_errors=True)
        with temporary as folder, runs_go_to(backend, Path(folder)):
            yield _row(backend, n, "in a process of its own", together=False)
            yield _row(backend, n, "in one process", together=True)
        return
    with shared_sandbox() as state_dir, runs_go_to(backend, state_dir):
        yield _row(backend, n, "", together=False)


def _row(backend: str, n: int, where: str, *, together: bool) -> Row:
    found = asyncio.run(measure(backend, n, together=together))
    return Row(
        name=f"small run beside a large {where}".strip(),
        backend=backend,
        n=n,
        unit="ms",
        runs=found["beside_runs"],
        median=found["beside_ms"],
        max=found["beside_max_ms"],
        goals=(at_most(found["ratio"], RATIO, "latency / that alone"),),
        more={"alone_ms": found["alone_ms"], "large_s": found["large_s"]},
    )
