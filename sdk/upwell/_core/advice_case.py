"""What the rules of the advisor look at, and what they give."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from upwell._core.effort import Amounts
from upwell._core.profile import PoolLoad, RunProfile, TaskProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Something to change.

    Attributes:
        kind: `batch`, `reuse`, `trace`, `concurrency`, `cache` or `reference`.
        text: What was found and what to do.
        saves_wall_s: By how much the run would end earlier: what of the saving lies on its critical path.
        saves_busy_s: How much less time executors would spend on it.
        saves_usd: What that is on AWS by the list prices.
        evidence: The numbers that led here.
    """

    kind: str
    task: str
    text: str
    saves_wall_s: float
    saves_busy_s: float
    saves_usd: float
    evidence: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """One task of a run, and what the rules look at."""

    profile: RunProfile
    task: TaskProfile
    on_path: Mapping[str, float]

    @property
    def amounts(self) -> Amounts:
        """What adds up of the task's actions."""
        return self.task.took.amounts

    @property
    def runtime_s(self) -> float:
        """How long the task runs, on average."""
        return self.task.runtime.sum / self.task.attempts

    @property
    def warm_overhead_s(self) -> float:
        """Overhead without `t`, which batches do not divide among fewer: they make fewer start."""
        return max(0.0, self.task.overhead_s - self.task.phases["start"].sum / max(1, self.task.measured))

    @property
    def is_leaf(self) -> bool:
        """Whether the task makes no calls."""
        return self.amounts.parents <= 0

    def path_s(self, *phases: str) -> float:
        """Return how much of the critical path the task spent in phases."""
        return math.fsum(self.on_path.get(phase, 0.0) for phase in phases)

    @property
    def held_s(self) -> float:
        """What an attempt takes of its executor's time without running, on average."""
        return self.amounts.held_us / 1e6 / self.task.attempts

    @property
    def load(self) -> PoolLoad:
        """How busy the pool was that has most of the task's actions."""
        pools = {
            pool: task.amounts.actions
            for (name, pool), task in self.profile.efforts.tasks.items()
            if name == self.task.task
        }
        return self.profile.loads.get(max(pools, key=lambda pool: (pools[pool], pool)), PoolLoad())

    def advice(
        self, kind: str, text: str, *, wall_s: float, busy_s: float, actions: float = 0.0, **evidence: float
    ) -> Advice:
        """Return advice on the task, with what it saves in dollars, `actions` fewer included."""
        return Advice(
            kind=kind,
            task=self.task.task,
            text=text,
            saves_wall_s=wall_s,
            saves_busy_s=busy_s,
            saves_usd=busy_s * self.task.usd_per_s + actions * self.task.usd_per_action,
            evidence=evidence,
        )


def time_text(seconds: float) -> str:
    """Return a length of time as advice tells it."""
    if seconds < 0.1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
