"""What was found: a report of one run, and the summary of many."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

RUNS_FOR_EVERY_KIND = 200
"""In so many runs every kind of fault must have happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One run.

    Attributes:
        wrong: What does not hold, in words; empty when all does.
        happened: How often each kind of fault really happened.
        virtual_s: The time that passed for the run.
        story: What happened, for a look at one seed.
    """

    seed: int
    wrong: list[str]
    happened: Counter[str]
    actions: int
    virtual_s: float
    wall_s: float
    story: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Summary:
    """Many runs.

    Args:
        backend: Where they ran.
        kinds: Every kind of fault that can happen there.
        broken: The guard that was taken out.
    """

    backend: str
    kinds: Sequence[str]
    broken: str | None = None
    runs: int = 0
    actions: int = 0
    wall_s: float = 0.0
    failed: list[RunReport] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)

    def add(self, report: RunReport) -> None:
        """Take a run in."""
        self.runs += 1
        self.actions += report.actions
        self.wall_s += report.wall_s
        self.happened.update(report.happened)
        if report.wrong:
            self.failed.append(report)

    @property
    def missing(self) -> list[str]:
        """Kinds that never happened, though there were enough runs for them."""
        if self.runs < RUNS_FOR_EVERY_KIND:
            return []
        return [kind for kind in self.kinds if not self.happened[kind]]

    @property
    def exit_code(self) -> int:
        """1 if a run failed, or a kind of fault is missing."""
        return 1 if self.failed or self.missing else 0

    def lines(self) -> Iterable[str]:
        """Yield the text of the summary."""
        yield f"{'fault that happened':<32}{'times':>8}"
        for kind in sorted({*self.kinds, *self.happened}):
            yield f"{kind:<32}{self.happened[kind]:>8}"
        broken = f", without {self.broken}" if self.broken else ""
        yield ""
        yield f"backend {self.backend}{broken}: {self.runs} runs, {self.runs - len(self.failed)} passed, " + (
            f"{len(self.failed)} failed; {self.actions} actions, {sum(self.happened.values())} faults, "
            f"{self.wall_s:.0f} s"
        )
        for report in self.failed:
            yield f"seed {report.seed} failed: {'; '.join(report.wrong)}"
            again = f"python -m bench.faults --backend {self.backend} --seed {report.seed} --runs 1 --verbose"
            yield f"  again: {again}" + (f" --break {self.broken}" if self.broken else "")
        for kind in self.missing:
            yield f"never happened: {kind}"

    def to_json(self) -> str:
        """Return the summary as a JSON document."""
        document: dict[str, Any] = {
            "backend": self.backend,
            "broken": self.broken,
            "runs": self.runs,
            "passed": self.runs - len(self.failed),
            "failed": [{"seed": report.seed, "wrong": report.wrong} for report in self.failed],
            "actions": self.actions,
            "wall_s": round(self.wall_s, 1),
            "faults": {kind: self.happened[kind] for kind in sorted({*self.kinds, *self.happened})},
            "never_happened": self.missing,
        }
        return json.dumps(document)
