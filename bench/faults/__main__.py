"""`python -m bench.faults --backend local --seed 1 --runs 1000`: random programs under random faults.

Prints how often each kind of fault happened, and which seeds failed. Exits with 1 if one did, or if a kind of
fault never happened in 200 runs or more.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from bench.faults.breaks import GUARDS, Guard
from bench.faults.report import RunReport, Summary


class Backend(Protocol):
    """Where programs run."""

    name: str
    kinds: Sequence[str]
    seeds: range
    """Those that will be run; one that knows can run several at once."""

    def run(self, seed: int) -> RunReport:
        """Run the program of a seed under the faults of the seed, and check it."""

    def close(self) -> None:
        """Free what the backend holds."""


def open_backend(name: str, root: Path, broken: Guard | None) -> Backend:
    """Return a backend; what the others need is not imported."""
    if name == "moto":
        from bench.faults.moto import MotoBackend

        return MotoBackend(root, broken)
    if name == "sandbox":
        from bench.faults.sandbox import SandboxBackend

        return SandboxBackend(root, broken)
    from bench.faults.local import LocalBackend

    return LocalBackend(root, broken)


def run_all(
    backend: Backend, seeds: range, broken: Guard | None, *, quiet: bool = True, verbose: bool = False
) -> Summary:
    """Run the programs of seeds, and return what was found."""
    summary = Summary(backend=backend.name, kinds=backend.kinds, broken=broken)
    for seed in seeds:
        report = backend.run(seed)
        summary.add(report)
        if verbose:
            print("\n".join(report.story))
        if not quiet and report.wrong:
            print(f"seed {seed} failed: {'; '.join(report.wrong)}", file=sys.stderr, flush=True)
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--backend", choices=("local", "moto", "sandbox"), default="local")
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--break", dest="broken", choices=GUARDS, help="take this guard of the engine out")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="tell what happened in each run")
    options = parser.parse_args()
    logging.disable(logging.NOTSET if options.verbose else logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="upwell-faults-") as folder:
        backend = open_backend(options.backend, Path(folder), options.broken)
        try:
            seeds = range(options.seed, options.seed + options.runs)
            backend.seeds = seeds
            summary = run_all(backend, seeds, options.broken, quiet=options.json, verbose=options.verbose)
        finally:
            backend.close()
    print(summary.to_json() if options.json else "\n".join(summary.lines()))
    sys.exit(summary.exit_code)


if __name__ == "__main__":
    main()
