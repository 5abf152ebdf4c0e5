"""Runs contenders in turns, each run in a fresh process with an empty folder: memory and start-up are its."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.all.peers import PROGRAMS, Environments, Peer, PeerError
from bench.all.program import BACKEND, BATCH
from bench.peers.timing import MARK, STARTED_AT, STATE

LIMIT_S = 900.0
ROOT = Path(__file__).parent.parent.parent
Figures = dict[str, Any]
Contender = Callable[[], Figures]


class ContenderError(Exception):
    """A contender's program failed, or took too long."""


@dataclass(slots=True)
class Taken:
    """What the runs of a contender reported; `error` when one failed, after which it was not run again."""

    samples: list[Figures] = field(default_factory=list)
    error: str | None = None

    def values(self, name: str) -> list[float]:
        """Return one figure of each run."""
        return [sample[name] for sample in self.samples]


def in_turns(contenders: Mapping[str, Contender], runs: int) -> dict[str, Taken]:
    """Run each contender so many times, one after the other within a round: a busy moment hits all of them."""
    taken = {name: Taken() for name in contenders}
    for _ in range(runs):
        for name, contender in contenders.items():
            if taken[name].error is None:
                try:
                    taken[name].samples.append(contender())
                except (ContenderError, PeerError) as error:
                    taken[name].error = str(error)
    return taken


def ours(
    mode: str, n: int, backend: str = "local", state_dir: Path | None = None, batch: str = "auto"
) -> Contender:
    """Return upwell itself; with a state folder, in that one (the running sandbox's)."""
    command = [sys.executable, "-m", "bench.all.program", mode, str(n)]
    return lambda: run_program(command, {BACKEND: backend, BATCH: batch}, state_dir)


def theirs(peer: Peer, mode: str, n: int, environments: Environments) -> Contender:
    """Return a peer, which is installed before its first run."""

    def contender() -> Figures:
        command = [str(environments.python(peer)), str(PROGRAMS / peer.program), mode, str(n)]
        return run_program(command, {"BENCH_VARIANT": peer.variant})

    return contender


def run_program(command: Sequence[str], variables: Mapping[str, str], state: Path | None = None) -> Figures:
    """Run a program to its end and return what it reports.

    Raises:
        ContenderError: it failed, took longer than `LIMIT_S`, or reported nothing.
    """
    with tempfile.TemporaryDirectory(prefix="upwell-bench-", ignore_cleanup_errors=True) as folder:
        env = {**os.environ, **variables, STATE: str(state or folder), STARTED_AT: repr(time.time())}
        try:
            done = subprocess.run(
                command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ContenderError(f"took longer than {LIMIT_S:.0f} s") from error
    reports = [line.removeprefix(MARK) for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not reports:
        said = (done.stderr or done.stdout).strip()[-300:]
        raise ContenderError(f"exit code {done.returncode}: {said}")
    figures: Figures = json.loads(reports[-1])
    return figures
