"""`python -m bench.fanout --backend sandbox --n 1000 10000`: an n-way map of a task that does nothing, timed.

Each run is in a fresh process, so that its peak of memory is its own. Each item is an action.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

import upwell
from bench.flows import fan_out

WARM_UP = 10


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


def peak_mib() -> float:
    """Return the most memory that this process has had, MiB: on local, the parent's and all children's."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def in_a_process(backend: str, n: int) -> dict[str, float]:
    """Run it once in a fresh process; return its seconds, CPU seconds and peak of memory."""
    command = [sys.executable, "-m", "bench.fanout", "--backend", backend, "--n", str(n), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def once(backend: str, n: int) -> dict[str, float]:
    """Run it once in this process, after a small one that starts what has to be started."""
    one(backend, WARM_UP)
    cpu_s = time.process_time()
    return {
        "elapsed_s": one(backend, n),
        "cpu_s": time.process_time() - cpu_s,
        "peak_mib": peak_mib(),
    }


def measure(backend: str, n: int, reps: int) -> dict[str, float | str]:
    """Return the figures of a fan-out of n actions: medians of runs in processes of their own."""
    runs = [in_a_process(backend, n) for _ in range(reps)]
    times_s = [run["elapsed_s"] for run in runs]
    median_s = statistics.median(times_s)
    return {
        "backend": backend,
        "n": n,
        "reps": reps,
        "median_s": round(median_s, 3),
        "min_s": round(min(times_s), 3),
        "max_s": round(max(times_s), 3),
        "ms_per_action": round(1000 * median_s / n, 3),
        "cpu_ms_per_action": round(1000 * statistics.median(run["cpu_s"] for run in runs) / n, 3),
        "actions_per_s": round(n / median_s),
        "peak_mib": round(statistics.median(run["peak_mib"] for run in runs), 1),
    }


def measure_all(backend: str, sizes: Sequence[int], reps: int) -> list[dict[str, float | str]]:
    """Return the figures for each size."""
    return [measure(backend, n, reps) for n in sizes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=("local", "moto", "sandbox", "aws"), default="local")
    parser.add_argument("--n", type=int, nargs="+", default=[1000])
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--once", action="store_true", help="one run, in this process")
    options = parser.parse_args()
    if options.once:
        print(json.dumps(once(options.backend, options.n[0])))
        return
    measured = measure_all(options.backend, options.n, options.reps)
    if options.json:
        print(json.dumps(measured[0] if len(measured) == 1 else measured))
        return
    for figures in measured:
        for name, value in figures.items():
            print(f"{name:>18}  {value}")


if __name__ == "__main__":
    main()
