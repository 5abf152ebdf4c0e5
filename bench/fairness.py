"""`python -m bench.fairness --backend local --n 20000`: a small run beside a large one, and alone.

Both runs use the same pools: the large one maps a task over n items, the small one calls it once. The small one
is started again and again while the large one is under way in a process of its own, as two users of one
deployment (or of one machine) would have them; `--together` has both in one process, which then has one thread
for all that both compute.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from typing import Any

import upwell
from bench.flows import fan_out, one_call
from upwell._client.config import current_config

ALONE = 5
"""Runs of the small one alone, before the large one and again after it."""
BESIDE = 9
"""Runs of the small one beside the large one, at most."""
SETTLE_S = 1.5
"""So long the large one has to start and to fill the queue."""


async def small(backend: str) -> float:
    """Run one action, and return the seconds from submission to result."""
    start = time.perf_counter()
    run = await upwell.with_runcontext(mode=backend).run.aio(one_call, 1)
    if await run.outputs.aio() != (1,):
        raise SystemExit(f"run {run.name}: wrong")
    return time.perf_counter() - start


async def large(backend: str, n: int) -> float:
    """Run n actions, and return the seconds from submission to result."""
    start = time.perf_counter()
    run = await upwell.with_runcontext(mode=backend).run.aio(fan_out, n)
    (values,) = await run.outputs.aio()
    if values != list(range(n)):
        raise SystemExit(f"run {run.name}: wrong or out of order")
    return time.perf_counter() - start


async def large_apart(backend: str, n: int) -> float:
    """Do that in a process of its own."""
    options = ("-m", "bench.fairness", "--backend", backend, "--n", str(n), "--large-only")
    state_dir = {"UPWELL_STATE_DIR": str(current_config().state_dir.resolve())}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *options, stdout=PIPE, env={**os.environ, **state_dir}
    )
    told, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"the large run's process ended with exit code {process.returncode}")
    return float(told)


async def measure(backend: str = "local", n: int = 20_000, *, together: bool = False) -> dict[str, Any]:
    """Return the latencies of the small run alone and beside a large one of n actions, and their ratio.

    Args:
        backend: `local`, `sandbox` or `aws`.
        n: Actions of the large run.
        together: Have both in this process.
    """
    await small(backend)  # start what has to be started once
    alone = [await small(backend) for _ in range(ALONE)]
    running = asyncio.create_task((large if together else large_apart)(backend, n))
    await asyncio.sleep(SETTLE_S)
    beside: list[float] = []
    while not running.done() and len(beside) < BESIDE:
        taken_s = await small(backend)
        if not running.done():
            beside.append(taken_s)
    large_s = await running
    alone += [await small(backend) for _ in range(ALONE)]
    if not beside:
        raise SystemExit(f"no small run ended in the {large_s:.1f} s of the large one; give a larger --n")
    alone_s, beside_s = statistics.median(alone), statistics.median(beside)
    return {
        "backend": backend,
        "n": n,
        "together": together,
        "alone_ms": round(1000 * alone_s, 1),
        "beside_ms": round(1000 * beside_s, 1),
        "beside_max_ms": round(1000 * max(beside), 1),
        "beside_runs": len(beside),
        "ratio": round(beside_s / alone_s, 2),
        "large_s": round(large_s, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=("local", "sandbox", "aws"), default="local")
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--together", action="store_true", help="both runs in one process")
    parser.add_argument("--large-only", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.large_only:
        print(asyncio.run(large(options.backend, options.n)))
        return
    figures = asyncio.run(measure(options.backend, options.n, together=options.together))
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:>14}  {value}")


if __name__ == "__main__":
    main()
