"""The experiment about two runs at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import upwell
from bench.all.experiment import Setting
from bench.all.rows import Row, at_most
from bench.all.sandboxes import local_state, shared_sandbox
from bench.fairness import measure

RATIO = 2.0


def fairness(setting: Setting, backend: str) -> Iterator[Row]:
    """Compare a small run beside a large one with the same alone."""
    n = 2_000 if setting.quick else 20_000
    if backend == "local":
        with local_state():
            yield _row(backend, n)
        return
    with shared_sandbox() as state_dir:
        upwell.init(mode=backend, state_dir=state_dir)
        yield _row(backend, n)


def _row(backend: str, n: int) -> Row:
    found = asyncio.run(measure(backend, n))
    return Row(
        name="small run beside a large",
        backend=backend,
        n=n,
        unit="ms",
        runs=found["beside_runs"],
        median=found["beside_ms"],
        max=found["beside_max_ms"],
        goals=(at_most(found["ratio"], RATIO, "latency / that alone"),),
        more={"alone_ms": found["alone_ms"], "large_s": found["large_s"]},
    )
