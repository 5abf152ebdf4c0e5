"""`python -m bench.traces --backend local`: 1,000 traces in an action, one by one and at once, timed."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import upwell
from bench.flows import parents
from upwell._local.sqlite import SqliteStore


@upwell.trace
async def light(x: int) -> int:
    return x


@parents.task
async def one_by_one(n: int) -> float:
    """Call a trace n times, one after the other; return the seconds."""
    start = time.perf_counter()
    for x in range(n):
        await light(x)
    return time.perf_counter() - start


@parents.task
async def at_once(n: int) -> float:
    """Call a trace n times at once; return the seconds."""
    start = time.perf_counter()
    await asyncio.gather(*(light(x) for x in range(n)))
    return time.perf_counter() - start


FLOWS = {"one_by_one": one_by_one, "at_once": at_once}


@contextmanager
def counted_appends() -> Iterator[list[int]]:
    """Count the entries of each append to a local journal in the block."""
    appends: list[int] = []
    append = SqliteStore.append

    async def counted(self: SqliteStore, parent: Any, shard: int, entries: Any) -> None:
        appends.append(len(entries))
        await append(self, parent, shard, entries)

    SqliteStore.append = counted  # type: ignore[method-assign]  # no part of the engine, for a figure only
    try:
        yield appends
    finally:
        SqliteStore.append = append  # type: ignore[method-assign]  # as above


def measure(backend: str, n: int, reps: int) -> dict[str, float | str]:
    """Return ms per trace inside of the action, and on local the appends of an action, by way of calling."""
    figures: dict[str, float | str] = {"backend": backend, "n": n, "reps": reps}
    for name, flow in FLOWS.items():
        with counted_appends() as appends:
            times_s = [upwell.with_runcontext(mode=backend).run(flow, n).outputs()[0] for _ in range(reps)]
        figures[f"{name}_ms_per_trace"] = round(1000 * statistics.median(times_s) / n, 4)
        if backend == "local":
            figures[f"{name}_appends"] = round(len(appends) / reps, 1)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=("local", "sandbox", "aws"), default="local")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--reps", type=int, default=5)
    options = parser.parse_args()
    print(json.dumps(measure(options.backend, options.n, options.reps), indent=2))


if __name__ == "__main__":
    main()
