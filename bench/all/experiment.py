"""What an experiment is, and how all are run: one that fails is a row with an error, the others go on."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench.all.contenders import Taken, in_turns, ours, theirs
from bench.all.peers import Environments, Peer
from bench.all.rows import PeerFigure, Row, significant, spread

OURS = "upwell"


@dataclass(slots=True, kw_only=True)
class Setting:
    """How it is measured.

    Attributes:
        runs: Of each contender.
        quick: Small sizes, to see that everything works; the figures then mean little.
    """

    runs: int = 5
    quick: bool = False
    environments: Environments = field(default_factory=Environments)

    def race(self, mode: str, n: int, peers: Sequence[Peer] = ()) -> dict[str, Taken]:
        """Run upwell's local backend and peers in turns.

        Raises:
            RuntimeError: upwell's own program failed.
        """
        contenders = {peer.name: theirs(peer, mode, n, self.environments) for peer in peers}
        taken = in_turns({OURS: ours(mode, n), **contenders}, self.runs)
        if taken[OURS].error is not None:
            raise RuntimeError(taken[OURS].error)
        return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A measurement.

    Attributes:
        about: What is measured and at which sizes, in a line.
        backends: Where it can run.
        measure: Yields rows as they are found, given the setting and a backend.
    """

    name: str
    about: str
    backends: tuple[str, ...]
    measure: Callable[[Setting, str], Iterable[Row]]


def run_all(
    experiments: Sequence[Experiment], setting: Setting, backends: Sequence[str], say: Callable[[str], Any]
) -> Iterator[Row]:
    """Run experiments on those of the backends that they know, and yield their rows."""
    for experiment in experiments:
        for backend in (b for b in experiment.backends if b in backends):
            say(f"{experiment.name} on {backend}: {experiment.about}")
            start = time.monotonic()
            try:
                for row in experiment.measure(setting, backend):
                    say(f"  {row.name}: {row.median} {row.unit}")
                    yield row
            except (Exception, SystemExit) as error:
                said = f"{type(error).__name__}: {error}"
                say(f"  {said}\n{traceback.format_exc(limit=-3)}")
                yield Row(name=experiment.name, backend=backend, n=0, unit="", error=said[-300:])
            say(f"  {time.monotonic() - start:.0f} s")


def beside(
    row: Row, taken: dict[str, Taken], peers: Sequence[Peer], figure: Callable[[dict[str, Any]], float]
) -> Row:
    """Return a row with the peers' figures, found in their samples by `figure`."""
    found: dict[str, PeerFigure] = {}
    for peer in peers:
        of = taken[peer.name]
        if of.error is not None:
            found[peer.name] = PeerFigure(version=peer.version, error=of.error)
            continue
        shown = spread([figure(sample) for sample in of.samples])
        ratio = significant(shown["median"] / row.median) if row.median else None
        found[peer.name] = PeerFigure(version=peer.version, ratio=ratio, **shown)
    return replace(row, peers=found)
