"""Folds changes of actions into counts per task and status, and into aggregates, each change once.

A stream delivers a change at least once, and the changes of one action in order. Changes are counted in lanes,
one per partition of the actions of a run. In a lane, sequence numbers tell what was counted: everything up to
`floor`, and the numbers in `recent`. In the usual case a lane is one shard of the stream and its numbers only
grow; `recent` is the slack for a partition that the database has split between shards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from upwell._core.aggregates import Aggregates, Facts, nonzero
from upwell._core.model import Status

SLACK = 128
"""Later changes of its lane that may have been counted by calls before a change's own, whatever a batch is.

With one more it is below the floor, and taken for one that was counted: a view has room for so many numbers.
"""


class Sequenced(Protocol):
    """What has a place in its lane."""

    @property
    def sequence(self) -> int:
        """Place in its lane."""


S = TypeVar("S", bound=Sequenced)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A write of an action record, as the stream tells it."""

    run_id: str
    lane: str
    """Partition of the run's actions that it happened in."""
    sequence_id: str
    """The stream's own name of the change: its sequence number, in digits."""
    task: str
    before: str | None
    """Status; None when the record is new."""
    after: str
    hits: Mapping[str, int] = field(default_factory=dict)
    """Calls that were answered from the cache since, by task: actions that have no record of their own."""

    @property
    def sequence(self) -> int:
        """Place of the change in its lane."""
        return int(self.sequence_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was counted in one lane."""

    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Task -> status -> number of actions."""
    floor: int = 0
    recent: tuple[int, ...] = ()
    """In order, at most `SLACK`."""


def fold(tally: Tally, changes: Iterable[Change]) -> Tally:
    """Return a lane's tally with changes counted, except those that were counted before."""
    counts = {task: dict(by_status) for task, by_status in tally.counts.items()}
    fresh, floor, recent = _unseen(changes, tally.floor, tally.recent)
    for change in fresh:
        if change.before is not None:
            _count(counts, change.task, change.before, -1)
        _count(counts, change.task, change.after, 1)
        for task, hits in change.hits.items():
            _count(counts, task, Status.SUCCEEDED, hits)
    return Tally(counts=counts, floor=floor, recent=recent)


def _unseen(changes: Iterable[S], floor: int, recent: tuple[int, ...]) -> tuple[list[S], int, tuple[int, ...]]:
    """Return the changes that were not counted before, and what was counted with them."""
    seen, fresh = set(recent), []
    for change in changes:
        if change.sequence > floor and change.sequence not in seen:
            seen.add(change.sequence)
            fresh.append(change)
    in_order = sorted(seen)
    if len(in_order) > SLACK:
        floor = max(floor, in_order[-SLACK - 1])
    return fresh, floor, tuple(in_order[-SLACK:])


def _count(counts: dict[str, dict[str, int]], task: str, status: str, change: int) -> None:
    by_status = counts.setdefault(task, {})
    by_status[status] = by_status.get(status, 0) + change


def merged(tallies: Iterable[Tally]) -> dict[str, dict[str, int]]:
    """Return the counts of all lanes together, without what is zero.

    A count can be below zero for a moment, when a change has overtaken the one before it; it shows as none.
    """
    total: dict[str, dict[str, int]] = {}
    for tally in tallies:
        for task, by_status in tally.counts.items():
            counts = total.setdefault(task, {})
            for status, count in by_status.items():
                counts[status] = counts.get(status, 0) + count
    return nonzero(total)


# --- aggregates -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What a write of an action record changed of what aggregates count."""

    run_id: str
    lane: str
    sequence_id: str
    before: Facts | None
    """None when the record is new."""
    after: Facts

    @property
    def sequence(self) -> int:
        """Place of the change in its lane."""
        return int(self.sequence_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The aggregates of one lane, and what was counted in them."""

    aggregates: Aggregates = field(default_factory=Aggregates)
    floor: int = 0
    recent: tuple[int, ...] = ()


def fold_moves(ledger: Ledger, moves: Iterable[Move]) -> Ledger:
    """Return a lane's ledger with changes taken in, except those that were before."""
    fresh, floor, recent = _unseen(moves, ledger.floor, ledger.recent)
    if not fresh:
        return ledger
    aggregates = Aggregates(kept=ledger.aggregates.kept)
    aggregates.add(ledger.aggregates)
    for move in fresh:
        aggregates.change(move.before, move.after)
    return Ledger(aggregates=aggregates, floor=floor, recent=recent)
