"""What is known of a run's actions without reading them: counts, lengths, names, the load, and what they took.

It is made of changes: what an action was is taken off, what it became is added. All of it is the same in
whatever order changes come and parts are added up, so that lanes fold theirs apart (`fold`). Its size has a
bound, however many actions a run has: what has no place of its own any more is counted with others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from upwell._core.effort import Effort, effort_of
from upwell._core.efforts import Efforts
from upwell._core.histogram import bucket_of
from upwell._core.load_curve import LoadCurve
from upwell._core.model import ActionRecord, Status

K = TypeVar("K")

FAILED = frozenset({Status.FAILED, Status.ABORTED, Status.TIMED_OUT})
KEPT = 8
"""Slowest, and failed, actions of a kind that are known by name: of each lane, by default."""
RUN_KINDS = 50
"""Kinds of a run that have a place of their own; the actions of further groups count with those of none."""
LEVEL_KINDS = 32
"""Kinds of large levels that have one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is counted of an action. Times are ms since the epoch.

    Attributes:
        level: Its parent, if that has more children than one shard of a journal takes; else empty: so small a
            level is read.
        shard: Of its parent's journal.
        hits: How many of its own calls were answered from the cache, by task: they have no records.
        effort: What it took; None where that is not asked for, and in what older versions left.
    """

    action_id: str
    task: str
    group: str
    level: str
    shard: int
    status: str
    queued_ms: int
    started_ms: int | None
    ended_ms: int | None
    cached: bool
    hits: Mapping[str, int] = field(default_factory=dict)
    effort: Effort | None = None

    @property
    def length_ms(self) -> int | None:
        """How long it ran, retries included; None while it has not ended, or never began."""
        if self.started_ms is None or self.ended_ms is None:
            return None
        return max(0, self.ended_ms - self.started_ms)


def facts_of(record: ActionRecord, effort: Effort | None = None) -> Facts:
    """Return what is counted of an action.

    Args:
        record: Of the action.
        effort: What it took, where that is to be counted.
    """
    spec = record.spec
    queued_at = max(spec.queued_at or record.created_at, spec.run.created_at)
    return Facts(
        action_id=spec.action_id,
        task=spec.task.name,
        group=spec.group or "",
        level=(spec.parent_id or "") if spec.shard else "",
        shard=spec.shard,
        status=record.status.value,
        queued_ms=_ms(queued_at),
        started_ms=None if record.started_at is None else _ms(record.started_at),
        ended_ms=None if record.ended_at is None or not record.status.is_terminal else _ms(record.ended_at),
        cached=record.cached_from is not None,
        hits=record.hits,
        effort=effort,
    )


def all_facts_of(record: ActionRecord) -> Facts:
    """Return what is counted of an action, what it took included."""
    return facts_of(record, effort_of(record))


def _ms(at: float) -> int:
    return round(at * 1000)


class Highest(dict[str, int]):
    """Names with the highest values; of one that came twice, the higher one."""

    _lowest: tuple[int, str] | None = None
    """Worked out when it is asked for: most of what comes is below it."""

    def keep(self, name: str, value: int, most: int) -> None:
        """Take in a name, and of more than `most` leave out the one with the lowest value."""
        if len(self) >= most:
            self._lowest = self._lowest or self._find_lowest()
            if (value, name) < self._lowest:
                return
        self[name] = max(value, self.get(name, value))
        if len(self) > most:
            del self[self._find_lowest()[1]]
        self._lowest = None

    def _find_lowest(self) -> tuple[int, str]:
        return min((value, name) for name, value in self.items())


KindKey = tuple[str, str, str]
"""Level (empty: the whole run), task and group."""


@dataclass(slots=True)
class Kind:
    """The actions of one task and group, of a run or of one of its levels.

    Attributes:
        counts: By status.
        cached: From the cache.
        lengths: Of those that have ended, by bucket of `histogram`.
        longest_ms: The longest of them.
        first_ms: When the first was called; 0 without any.
        last_ms: When the last one ended.
        first_shard: The first shard of the level's journal with one of them.
        last_shard: The last one.
        slowest: The longest by id, with their lengths.
        failed: Those that failed last, by id, with their ends. One of them may have been gone on with since.
    """

    counts: dict[str, int] = field(default_factory=dict)
    cached: int = 0
    lengths: dict[int, int] = field(default_factory=dict)
    longest_ms: int = 0
    first_ms: int = 0
    last_ms: int = 0
    first_shard: int = 0
    last_shard: int = 0
    slowest: Highest = field(default_factory=Highest)
    failed: Highest = field(default_factory=Highest)

    @property
    def total(self) -> int:
        """How many there are."""
        return max(0, sum(self.counts.values()))

    def count(self, facts: Facts, n: int) -> None:
        """Count an action (1), or take it off (-1)."""
        _increase(self.counts, facts.status, n)
        self.cached += n * facts.cached
        if facts.length_ms is not None:
            _increase(self.lengths, bucket_of(facts.length_ms / 1000), n)

    def remember(self, facts: Facts, kept: int) -> None:
        """Note what is never taken off: extremes, and the names of so many actions."""
        self._seen(facts.queued_ms, facts.ended_ms or 0, facts.shard, facts.shard)
        if facts.length_ms is not None:
            self.longest_ms = max(self.longest_ms, facts.length_ms)
            self.slowest.keep(facts.action_id, facts.length_ms, kept)
        if facts.ended_ms is not None and facts.status in FAILED:
            self.failed.keep(facts.action_id, facts.ended_ms, kept)

    def hit(self, facts: Facts, n: int) -> None:
        """Count calls of this action that the cache has answered."""
        _increase(self.counts, Status.SUCCEEDED.value, n)
        self.cached += n
        self._seen(facts.queued_ms, facts.ended_ms or facts.started_ms or facts.queued_ms, 0, 0)

    def add(self, other: Kind) -> None:
        """Take in the same kind of another lane, or another kind of the same actions."""
        for status, n in other.counts.items():
            _increase(self.counts, status, n)
        for bucket, n in other.lengths.items():
            _increase(self.lengths, bucket, n)
        self.cached += other.cached
        self.longest_ms = max(self.longest_ms, other.longest_ms)
        if other.first_ms:
            self._seen(other.first_ms, other.last_ms, other.first_shard, other.last_shard)
        for mine, theirs in ((self.slowest, other.slowest), (self.failed, other.failed)):
            for name, value in theirs.items():
                mine.keep(name, value, len(mine) + 1)

    def _seen(self, first_ms: int, last_ms: int, first_shard: int, last_shard: int) -> None:
        self.first_shard = min(self.first_shard, first_shard) if self.first_ms else first_shard
        self.last_shard = max(self.last_shard, last_shard)
        self.first_ms = min(self.first_ms or first_ms, first_ms)
        self.last_ms = max(self.last_ms, last_ms)


@dataclass(slots=True)
class Aggregates:
    """All that is known of the actions of a run, or of those in one of its lanes.

    Attributes:
        counts: Task -> status -> number of actions, those from the cache included.
        kinds: What is known of each kind.
        levels_left_out: Whether there were large levels without a place of their own.
        curve: The load.
        efforts: What the actions took.
        kept: Slowest and failed actions of a kind that are known by name.
    """

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    kinds: dict[KindKey, Kind] = field(default_factory=dict)
    levels_left_out: bool = False
    curve: LoadCurve = field(default_factory=LoadCurve)
    efforts: Efforts = field(default_factory=Efforts)
    kept: int = KEPT

    def change(self, before: Facts | None, after: Facts) -> None:
        """Take in what became of an action."""
        if before is not None:
            for kind in self._count(before, -1):
                kind.count(before, -1)
        for kind in self._count(after, 1):
            kind.count(after, 1)
            kind.remember(after, self.kept)
        if after.hits:
            self._take_hits({} if before is None else before.hits, after)

    def _count(self, facts: Facts, n: int) -> Iterator[Kind]:
        """Count an action in what there is one of for the run, and return its kinds."""
        _increase(self.counts.setdefault(facts.task, {}), facts.status, n)
        self.curve.called(facts.queued_ms, facts.started_ms, facts.ended_ms, facts.status in FAILED, n)
        if facts.effort is not None:
            self.efforts.count(facts.task, facts.effort, facts.hits, n)
        return self._kinds_of(facts)

    def _take_hits(self, before: Mapping[str, int], after: Facts) -> None:
        for task, n in after.hits.items():
            fresh = n - before.get(task, 0)
            if fresh:
                _increase(self.counts.setdefault(task, {}), Status.SUCCEEDED.value, fresh)
                self._run_kind(task, "").hit(after, fresh)

    def add(self, other: Aggregates) -> None:
        """Take in those of another lane."""
        for task, by_status in other.counts.items():
            for status, n in by_status.items():
                _increase(self.counts.setdefault(task, {}), status, n)
        for key, kind in other.kinds.items():
            self.kinds.setdefault(key, Kind()).add(kind)
        self.levels_left_out |= other.levels_left_out
        self.curve.add(other.curve)
        self.efforts.add(other.efforts)

    def _kinds_of(self, facts: Facts) -> Iterator[Kind]:
        yield self._run_kind(facts.task, facts.group)
        if not facts.level:
            return
        key = (facts.level, facts.task, facts.group)
        if key not in self.kinds and sum(1 for level, _, _ in self.kinds if level) >= LEVEL_KINDS:
            self.levels_left_out = True
        else:
            yield self.kinds.setdefault(key, Kind())

    def _run_kind(self, task: str, group: str) -> Kind:
        """Return the place of a kind; what comes when all are taken counts with others, and stays there."""
        found = self.kinds.get(("", task, group))
        if found is not None:
            return found
        taken = sum(1 for level, _, _ in self.kinds if not level)
        for key, limit in ((("", task, group), RUN_KINDS), (("", task, ""), 2 * RUN_KINDS)):
            if key in self.kinds or taken < limit:
                return self.kinds.setdefault(key, Kind())
        return self.kinds.setdefault(("", "", ""), Kind())


def nonzero(counts: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Return counts by task and status without what is none; below zero for a moment is none, too."""
    found = {task: {status: n for status, n in by.items() if n > 0} for task, by in counts.items()}
    return {task: by_status for task, by_status in found.items() if by_status}


def _increase(counts: dict[K, int], key: K, n: int) -> None:
    counts[key] = counts.get(key, 0) + n
