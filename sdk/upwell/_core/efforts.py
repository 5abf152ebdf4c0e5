"""What the actions of a run took together, in a size of its own, however many they are. See `aggregates`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import add, sub

from upwell._core.effort import LENGTHS, Amounts, Effort
from upwell._core.histogram import bucket_of
from upwell._core.load_curve import LoadCurve

TASKS_MAX = 32
"""Tasks of a lane with a place of their own; what comes after counts as one, `OTHERS`."""
OTHERS = "(others)"
POOLS_MAX = 8
INPUTS_KEPT = 32
"""Different inputs of a task whose repetitions are counted: those with the lowest digests, a sample."""


@dataclass(slots=True)
class Lengths:
    """Lengths of time.

    Attributes:
        buckets: How many there are, by bucket of `histogram`.
        sum_us: All of them together.
        max_us: The longest; it is never taken off.
    """

    buckets: dict[int, int] = field(default_factory=dict)
    sum_us: int = 0
    max_us: int = 0

    def count(self, length_us: int, n: int) -> None:
        """Count a length (1), or take it off (-1)."""
        bucket = bucket_of(length_us / 1e6) if length_us else 0
        self.buckets[bucket] = self.buckets.get(bucket, 0) + n
        self.sum_us += n * length_us
        self.max_us = max(self.max_us, length_us)

    def add(self, other: Lengths) -> None:
        """Take in others."""
        for bucket, n in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + n
        self.sum_us += other.sum_us
        self.max_us = max(self.max_us, other.max_us)


@dataclass(slots=True)
class Repeats:
    """How often inputs of a task came, for a sample of them.

    Attributes:
        inputs: Digest of the inputs -> how often, and the lowest and highest digest of their outputs.
    """

    inputs: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    def count(self, inputs: int, outputs: tuple[int, int], n: int) -> None:
        """Count so many calls with these inputs; negative takes them off."""
        known, least, most = self.inputs.get(inputs, (0, *outputs))
        self.inputs[inputs] = (known + n, min(least, outputs[0]), max(most, outputs[1]))
        if len(self.inputs) > INPUTS_KEPT:
            del self.inputs[max(self.inputs)]

    def add(self, other: Repeats) -> None:
        """Take in those of another lane."""
        for inputs, (n, *outputs) in other.inputs.items():
            self.count(inputs, (outputs[0], outputs[1]), n)

    @property
    def is_sample(self) -> bool:
        """Whether there may be more inputs than these."""
        return len(self.inputs) == INPUTS_KEPT

    def again(self, calls: int) -> int:
        """Return how many of so many calls had inputs that another one had, and the same output."""
        found = sum(max(0, n - 1) for n, least, most in self.inputs.values() if least == most)
        if not self.is_sample:
            return found
        return round(calls * found / max(1, sum(n for n, _, _ in self.inputs.values())))


@dataclass(slots=True)
class TaskEfforts:
    """What the actions of one task in one pool took."""

    amounts: Amounts = field(default_factory=Amounts)
    lengths: dict[str, Lengths] = field(default_factory=dict)
    repeats: Repeats = field(default_factory=Repeats)
    largest_bytes: int = 0
    inline_bytes: int = 0
    scope: str = ""

    def count(self, effort: Effort, n: int) -> None:
        """Count an action (1), or take it off (-1); extremes stay."""
        self.amounts = _together(self.amounts, effort.amounts, n)
        for one in effort.tries:
            for name, length_us in zip(LENGTHS, one.lengths, strict=False):
                self.lengths.setdefault(name, Lengths()).count(length_us, n)
        if effort.repeatable is not None:
            inputs, output = effort.repeatable
            self.repeats.count(inputs, (output, output), n)
        self._remember(effort.largest_bytes, effort.inline_bytes, effort.scope)

    def add(self, other: TaskEfforts) -> None:
        """Take in those of another lane."""
        self.amounts = _together(self.amounts, other.amounts, 1)
        for name, lengths in other.lengths.items():
            self.lengths.setdefault(name, Lengths()).add(lengths)
        self.repeats.add(other.repeats)
        self._remember(other.largest_bytes, other.inline_bytes, other.scope)

    def _remember(self, largest_bytes: int, inline_bytes: int, scope: str) -> None:
        self.largest_bytes = max(self.largest_bytes, largest_bytes)
        self.inline_bytes = max(self.inline_bytes, inline_bytes)
        self.scope = max(self.scope, scope)


@dataclass(slots=True)
class HeardOf:
    """What parents heard of their children of one task."""

    children: int = 0
    late_us: int = 0
    latest_us: int = 0
    waited_us: int = 0
    most: int = 0
    """Children of one parent."""

    def count(self, children: int, late_us: int, waited_us: int, n: int) -> None:
        """Add what adds up, or take it off."""
        self.children += n * children
        self.late_us += n * late_us
        self.waited_us += n * waited_us

    def remember(self, latest_us: int, most: int) -> None:
        """Note extremes, which are never taken off."""
        self.latest_us = max(self.latest_us, latest_us)
        self.most = max(self.most, most)


TaskKey = tuple[str, str]
"""Task and pool."""


@dataclass(slots=True)
class Efforts:
    """What the actions of a run took, or of one of its lanes.

    Attributes:
        tasks: By task and pool.
        hits: Calls that the cache answered in their parents, by task.
        heard: What parents heard, by the children's task.
        loads: Leaves that ran, by pool.
        last_ms: When the latest attempt ended, ms since the epoch; 0 without any.
    """

    tasks: dict[TaskKey, TaskEfforts] = field(default_factory=dict)
    hits: dict[str, int] = field(default_factory=dict)
    heard: dict[str, HeardOf] = field(default_factory=dict)
    loads: dict[str, LoadCurve] = field(default_factory=dict)
    last_ms: int = 0

    @property
    def actions(self) -> int:
        """How many were counted, those from the cache included."""
        return sum(task.amounts.actions for task in self.tasks.values()) + sum(self.hits.values())

    def count(self, task: str, effort: Effort, hits: Mapping[str, int], n: int) -> None:
        """Count an action (1), or take it off (-1)."""
        self._task((task, effort.pool)).count(effort, n)
        for name, calls in hits.items():
            self.hits[name] = self.hits.get(name, 0) + n * calls
        for one in effort.heard:
            heard = self._heard(one.task)
            heard.count(one.children, one.late_us, one.waited_us, n)
            heard.remember(one.latest_us, one.children)
        curve = self._load(effort.pool) if effort.tries else None
        for tried in effort.tries:
            self.last_ms = max(self.last_ms, tried.ended_ms)
            if tried.is_leaf and curve is not None:
                curve.ran(tried.started_ms, tried.ended_ms, n)

    def add(self, other: Efforts) -> None:
        """Take in those of another lane."""
        self.last_ms = max(self.last_ms, other.last_ms)
        for key, task in other.tasks.items():
            self.tasks.setdefault(key, TaskEfforts()).add(task)
        for name, calls in other.hits.items():
            self.hits[name] = self.hits.get(name, 0) + calls
        for name, theirs in other.heard.items():
            heard = self.heard.setdefault(name, HeardOf())
            heard.count(theirs.children, theirs.late_us, theirs.waited_us, 1)
            heard.remember(theirs.latest_us, theirs.most)
        for pool, curve in other.loads.items():
            self.loads.setdefault(pool, LoadCurve()).add(curve)

    def _task(self, key: TaskKey) -> TaskEfforts:
        if key not in self.tasks and len(self.tasks) >= TASKS_MAX:
            key = (OTHERS, "")
        return self.tasks.setdefault(key, TaskEfforts())

    def _heard(self, task: str) -> HeardOf:
        if task not in self.heard and len(self.heard) >= TASKS_MAX:
            task = OTHERS
        return self.heard.setdefault(task, HeardOf())

    def _load(self, pool: str) -> LoadCurve | None:
        if pool not in self.loads and len(self.loads) >= POOLS_MAX:
            return None
        return self.loads.setdefault(pool, LoadCurve())


def _together(one: Amounts, other: Amounts, n: int) -> Amounts:
    return Amounts._make(map(add if n > 0 else sub, one, other))
