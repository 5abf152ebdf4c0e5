"""`python -m bench.chain --n 100`: actions one after the other, and one inside the other, ms a hop."""

from __future__ import annotations

import argparse
import json
import statistics
import time

import upwell
from bench.flows import chain, workers


@workers.task
async def nested(n: int) -> int:
    """Call itself n times, one inside the other."""
    return 0 if n == 0 else 1 + await nested(n - 1)


FLOWS = {"sequence": chain, "nested": nested}


def one(backend: str, flow: str, n: int) -> float:
    """Run a chain once, check the result, and return the seconds from submission to result."""
    start = time.perf_counter()
    (value,) = upwell.with_runcontext(mode=backend).run(FLOWS[flow], n).outputs()
    elapsed_s = time.perf_counter() - start
    if value != (n if flow == "nested" else list(range(n))):
        raise SystemExit(f"a chain of {n} ({flow}) returned {value}")
    return elapsed_s


def measure(backend: str, n: int, reps: int) -> dict[str, float | str]:
    """Return ms a hop of both kinds of chain: medians, start and end of the run included."""
    figures: dict[str, float | str] = {"backend": backend, "n": n, "reps": reps}
    for flow in FLOWS:
        one(backend, flow, 2)
        times_s = [one(backend, flow, n) for _ in range(reps)]
        figures[f"{flow}_ms_per_hop"] = round(1000 * statistics.median(times_s) / n, 3)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=("local", "sandbox", "aws"), default="local")
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--reps", type=int, default=5)
    options = parser.parse_args()
    print(json.dumps(measure(options.backend, options.n, options.reps), indent=2))


if __name__ == "__main__":
    main()
