"""`python -m bench.all --json out.json`: every measurement, the peers beside it, one table.

An experiment that fails is a row with its error, and the exit code is 1. All of it takes more than an hour,
most of that on the sandbox: `--backend local` and `--only fanout peers` give pieces, `--quick` small sizes.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from rich.console import Console

from bench.all.experiment import Setting, run_all
from bench.all.registry import BACKENDS, EXPERIMENTS
from bench.all.report import document, table, write


def main(arguments: list[str] | None = None) -> int:
    names = [experiment.name for experiment in EXPERIMENTS]
    parser = argparse.ArgumentParser(
        prog="python -m bench.all", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything to this file")
    parser.add_argument(
        "--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument(
        "--backend", nargs="+", choices=BACKENDS, help="default: all; with --quick: not sandbox"
    )
    parser.add_argument("--runs", type=int, help="of each contender; default: 5, with --quick 2")
    parser.add_argument("--quick", action="store_true", help="small sizes, a few minutes")
    options = parser.parse_args(arguments)
    backends = options.backend or (("local", "moto") if options.quick else BACKENDS)
    setting = Setting(runs=options.runs or (2 if options.quick else 5), quick=options.quick)
    chosen = [experiment for experiment in EXPERIMENTS if experiment.name in options.only]
    progress = Console(stderr=True, highlight=False, markup=False)
    rows = []
    for row in run_all(chosen, setting, backends, partial(progress.print, soft_wrap=True)):
        rows.append(row)
        if options.json:  # as it goes: what was measured is kept when a later one takes too long
            write(options.json, document(rows, runs=setting.runs, quick=setting.quick))
    Console(width=None if sys.stdout.isatty() else 160).print(table(rows))
    return 1 if any(row.error is not None for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
