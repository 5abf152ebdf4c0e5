"""`python -m bench.cache`: what a cached call costs, and what changes the key of a task and what does not."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from bench.cache.calls import REQUESTS_PER_HIT_MAX, measure
from bench.cache.stability import Row, stability_table

COLUMNS = (
    "backend",
    "flow",
    "calls",
    "ms_per_call",
    "requests_per_call",
    "write_units_per_call",
    "read_units_per_call",
    "peak_mib",
)


def main() -> None:
    """Print the figures; end with 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.cache", description=__doc__)
    parser.add_argument("--n", type=int, default=10_000, help="calls of each flow")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    calls, stability = measure(options.n), stability_table()
    problems = _problems(calls, stability)
    if options.json:
        rows = [
            {"edit": r.about, "changes": r.changes, "expected": r.expected, "parts": r.parts} for r in stability
        ]
        print(json.dumps({"calls": calls, "stability": rows, "problems": problems}, indent=2))
    else:
        _print(calls, stability)
        for problem in problems:
            print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


def _problems(calls: list[dict[str, Any]], stability: list[Row]) -> list[str]:
    problems = [
        f"{row['flow']}: {row['requests_per_call']} requests a hit, the goal is {REQUESTS_PER_HIT_MAX}"
        for row in calls
        if row["calls"] == "hit" and row.get("requests_per_call", 0) > REQUESTS_PER_HIT_MAX
    ]
    return problems + [f"stability: {row.about}" for row in stability if row.changes != row.expected]


def _print(calls: list[dict[str, Any]], stability: list[Row]) -> None:
    widths = [max(len(name), 8) for name in COLUMNS]
    for cells in (COLUMNS, *([str(row.get(name, "")) for name in COLUMNS] for row in calls)):
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
    print()
    for row in stability:
        print(f"{'new key ' if row.changes else 'same key'}  {row.about}")


if __name__ == "__main__":
    main()
