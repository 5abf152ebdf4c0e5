"""`python -m bench.fanout --backend sandbox --n 1000`: an n-way map of a task that does nothing, timed."""

from __future__ import annotations

import argparse
import json
import statistics
import time

import upwell
from bench.flows import fan_out


def one(backend: str, n: int) -> float:
    """Run it once, check the result, and return the seconds from submission to result."""
    if backend == "moto":
        return on_moto(n)
    start = time.perf_counter()
    run = upwell.with_runcontext(mode=backend).run(fan_out, n)
    (values,) = run.outputs()
    elapsed_s = time.perf_counter() - start
    if values != list(range(n)):
        raise SystemExit(f"run {run.name}: wrong or out of order")
    return elapsed_s


def on_moto(n: int) -> float:
    """Do the same with the AWS adapters in this process, over moto."""
    from upwell.testing.moto_flows import moto_flows

    with moto_flows() as flows:
        start = time.perf_counter()
        values = flows.run(fan_out, n).unwrap()
        elapsed_s = time.perf_counter() - start
    if values != list(range(n)):
        raise SystemExit("the run on moto: wrong or out of order")
    return elapsed_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=("local", "moto", "sandbox", "aws"), default="local")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    one(options.backend, 10)  # start what has to be started once: the sandbox, its executors
    times_s = [one(options.backend, options.n) for _ in range(options.reps)]
    median_s = statistics.median(times_s)
    figures = {
        "backend": options.backend,
        "n": options.n,
        "reps": options.reps,
        "median_s": round(median_s, 3),
        "min_s": round(min(times_s), 3),
        "max_s": round(max(times_s), 3),
        "ms_per_action": round(1000 * median_s / options.n, 3),
        "actions_per_s": round(options.n / median_s),
    }
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:>14}  {value}")


if __name__ == "__main__":
    main()
