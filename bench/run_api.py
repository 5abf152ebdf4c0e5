"""`python -m bench.run_api --n 100 10000 1000000`: what the Run API takes to answer about runs of n actions.

Printed are, for each request of a page of the console, the median time and the bytes of the answer, while
nothing else is asked. The largest run must cost no more than the smallest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from bench.large_run import RUN_ID, console, make_run

TIMES = 7


def requests_of(n: int) -> dict[str, str]:
    """Return the paths of a page by what they show."""
    tree = f"runs/{RUN_ID}/tree?parent"
    return {
        "run": f"runs/{RUN_ID}",
        "root": f"{tree}=",
        "first_calls": f"{tree}=a0&limit=25",
        "calls_in_the_middle": f"{tree}=a0&offset={n // 2}&limit=100&task=many.score&group=",
        "slowest": f"{tree}=a0&order=slowest&limit=100",
        "tasks": f"{tree}=*&limit=1",
        "by_status": f"{tree}=*&status=succeeded&limit=100",
        "timeline": f"runs/{RUN_ID}/timeline?buckets=120",
        "action": f"runs/{RUN_ID}/actions/a0",
        "profile": f"runs/{RUN_ID}/profile",
        "cost": f"runs/{RUN_ID}/cost",
    }


def measure(n: int) -> dict[str, Any]:
    """Return times and sizes of answers about a run of n actions."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        make_run(Path(folder), n)
        with console(Path(folder), port=8645) as url:
            for name, path in requests_of(n).items():
                times, size = [], 0
                for _ in range(TIMES):
                    start = time.perf_counter()
                    with urllib.request.urlopen(f"{url}api/v1/{path}") as answer:
                        size = len(answer.read())
                    times.append(time.perf_counter() - start)
                found[name] = {
                    "first_ms": round(1000 * times[0], 1),
                    "median_ms": round(1000 * statistics.median(times), 1),
                    "bytes": size,
                }
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--n", type=int, nargs="+", default=[100, 10_000, 1_000_000], help="actions of the run"
    )
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    found = {n: measure(n) for n in given.n}
    if given.json:
        print(json.dumps(found))
        return
    print(f"{'':22}" + "".join(f"{n:>32,}" for n in found))
    for name in requests_of(1):
        print(f"{name:22}" + "".join(_cell(found[n][name]) for n in found))


def _cell(one: dict[str, Any]) -> str:
    return f"{one['median_ms']:>8} ms ({one['first_ms']:>7} first) {one['bytes']:>7}"


if __name__ == "__main__":
    main()
