"""A run at one time: its tree by level, what its tasks took, and how much ran when."""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from upwell._console.cursors import CursorError, dump_cursor, load_cursor
from upwell._console.rows import Row
from upwell._console.summary import Summary, largest
from upwell._core.model import ROOT_ID
from upwell._core.profile import Spread

Order = Literal["called", "slowest", "failed"]
Position = tuple[float, float, str]
FAILED = frozenset({"failed", "timed_out", "aborted"})
ANY_LEVEL = "*"
"""In place of a parent: all actions of the run."""
ORDERS_KEPT = 16
"""Of a snapshot: lists that were put in order and can be asked for page by page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """Which actions of a level.

    Attributes:
        statuses: Only those in one of these; empty takes all.
        tasks: Only those of one of these, by full name or function's; empty takes all.
        group: Only those of this group, or of none if it is empty; None takes all.
    """

    statuses: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()
    group: str | None = None

    def has(self, row: Row) -> bool:
        """Whether a row is one of them."""
        if self.statuses and row.status not in self.statuses:
            return False
        if self.tasks and self.tasks.isdisjoint((row.task, row.task.rpartition(".")[2])):
            return False
        return self.group is None or self.group == (row.group or "")


EVERYTHING = RowFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list.

    Attributes:
        next: Cursor of the next page; None on the last one.
        total: How many the whole list has.
    """

    rows: list[Row]
    next: str | None
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """How much of a run was under way, by stretches of equal length.

    Attributes:
        start: Epoch seconds.
        end: Epoch seconds; of a run that goes on, now.
        bucket_s: Length of a stretch.
        running: Most actions at once that had begun and not ended.
        queued: Most actions at once that had been called and not begun.
        ended: Actions that ended, failed ones included.
        failed: Actions that failed, timed out or were aborted.
    """

    start: float
    end: float
    bucket_s: float
    running: list[int]
    queued: list[int]
    ended: list[int]
    failed: list[int]


@dataclass(slots=True)
class Snapshot:
    """The actions of a run as they were read.

    Args:
        rows: All of them.
        read_at: When, epoch seconds.
    """

    rows: dict[str, Row]
    read_at: float
    _below: dict[str | None, list[Row]] = field(default_factory=dict)
    _summaries: dict[str, list[Summary]] = field(default_factory=dict)
    _ordered: dict[tuple[str, Order, RowFilter], list[tuple[Position, Row]]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row], read_at: float) -> Snapshot:
        """Return a snapshot of all actions of a run, in any order."""
        snapshot = cls.of_level(rows, read_at)
        for row in snapshot.rows.values():
            row.children = len(snapshot._below.get(row.action_id, ()))
        return snapshot

    @classmethod
    def of_level(cls, rows: Iterable[Row], read_at: float) -> Snapshot:
        """Return a snapshot of what one action called, in any order; what these called is not known."""
        snapshot = cls({row.action_id: row for row in rows}, read_at)
        for row in snapshot.rows.values():
            snapshot._below.setdefault(row.parent_id, []).append(row)
        return snapshot

    def children(
        self,
        parent: str,
        *,
        order: Order,
        limit: int,
        cursor: str | None = None,
        offset: int = 0,
        wanted: RowFilter = EVERYTHING,
    ) -> Page:
        """Return a page of what an action called.

        Args:
            parent: The action; empty for the level of the root itself, `*` for all actions of the run.
            order: `called` first, `slowest` first, or `failed` first.
            limit: Most rows.
            cursor: Where the page before ended.
            offset: How many rows to skip from there on.
            wanted: Which of them.

        Raises:
            CursorError: the cursor is not of a list in this order.
        """
        found = self._in_order(parent, order, wanted)
        first = offset
        if cursor is not None:
            after = load_cursor(cursor, (str, float, float, str))
            if after[0] != order:
                raise CursorError(cursor)
            first += bisect.bisect_right(found, after[1:], key=lambda each: each[0])
        page = found[first : first + limit]
        is_last = first + limit >= len(found)
        return Page(
            rows=[row for _, row in page],
            next=None if is_last else dump_cursor(order, *page[-1][0]),
            total=len(found),
        )

    def _in_order(self, parent: str, order: Order, wanted: RowFilter) -> list[tuple[Position, Row]]:
        key = (parent, order, wanted)
        if key not in self._ordered:
            found = [(self._position(row, order), row) for row in self._level(parent) if wanted.has(row)]
            found.sort(key=lambda each: each[0])
            while len(self._ordered) >= ORDERS_KEPT:
                self._ordered.pop(next(iter(self._ordered)))
            self._ordered[key] = found
        return self._ordered[key]

    def _level(self, parent: str) -> Iterable[Row]:
        return self.rows.values() if parent == ANY_LEVEL else self._below.get(parent or None, ())

    def _position(self, row: Row, order: Order) -> Position:
        if order == "slowest":
            return -row.took_s(self.read_at), row.called_at, row.action_id
        is_first = order == "failed" and row.status in FAILED
        return (0.0 if is_first or order == "called" else 1.0), row.called_at, row.action_id

    def summaries(self, parent: str) -> list[Summary]:
        """Return what an action called by task and group, in the order of the first calls.

        Of the root's own row there is none; of all actions of the run (`*`) there is one per task.
        """
        if not parent:
            return []
        if parent not in self._summaries:
            kinds: dict[tuple[str, str | None], list[Row]] = {}
            for row in self._level(parent):
                kinds.setdefault((row.task, None if parent == ANY_LEVEL else row.group), []).append(row)
            self._summaries[parent] = largest(self._summary(*kind, rows) for kind, rows in kinds.items())
        return self._summaries[parent]

    def _summary(self, task: str, group: str | None, rows: list[Row]) -> Summary:
        lengths = [row.ended_at - row.started_at for row in rows if row.started_at and row.ended_at]
        ends = {row.ended_at for row in rows}
        spread = Spread.of([max(0.0, length_s) for length_s in lengths])
        return Summary(
            task=task,
            group=group,
            counts=dict(Counter(row.status for row in rows)),
            cached=sum(row.cached for row in rows),
            first_queued_at=min(row.called_at for row in rows),
            last_ended_at=None if None in ends else max(end for end in ends if end is not None),
            p50_s=round(spread.p50, 6),
            p90_s=round(spread.p90, 6),
            p99_s=round(spread.p99, 6),
            max_s=round(spread.max, 6),
        )

    def timeline(self, buckets: int) -> Timeline:
        """Return how much was under way, in so many stretches."""
        root = self.rows.get(ROOT_ID)
        called = [row.called_at for row in self.rows.values()]
        start = min(called, default=self.read_at) if root is None else root.called_at
        over = root is not None and root.ended_at is not None
        ends = [row.ended_at for row in self.rows.values() if row.ended_at is not None]
        end = max(start, max(ends, default=start) if over else self.read_at)
        bucket_s = max(end - start, 1e-6) / buckets

        def at(moment: float) -> int:
            return min(buckets - 1, max(0, math.floor((moment - start) / bucket_s)))

        ended, failed = [0] * buckets, [0] * buckets
        running: list[tuple[float, int]] = []
        queued: list[tuple[float, int]] = []
        for row in self.rows.values():
            for called_at, started_at, ended_at in _stints(row):
                queued += _stretch(called_at, ended_at if started_at is None else started_at)
                if started_at is not None:
                    running += _stretch(started_at, ended_at)
            if row.ended_at is not None:
                ended[at(row.ended_at)] += 1
                failed[at(row.ended_at)] += row.status in FAILED
        return Timeline(
            start=start,
            end=end,
            bucket_s=bucket_s,
            running=_most_at_once(running, buckets, at),
            queued=_most_at_once(queued, buckets, at),
            ended=ended,
            failed=failed,
        )


def _stints(row: Row) -> Iterator[tuple[float, float | None, float | None]]:
    """Yield when an action was called, began and ended; of earlier generations, each attempt by itself."""
    for each in row.earlier:
        yield each.sent_at, each.started_at, each.ended_at
    yield row.queued_at, row.started_at, row.ended_at


def _stretch(begin: float, end: float | None) -> list[tuple[float, int]]:
    if end is None:
        return [(begin, 1)]
    return [(begin, 1), (end, -1)] if end > begin else []


def _most_at_once(events: list[tuple[float, int]], buckets: int, at: Any) -> list[int]:
    """Return the highest count in each stretch, that at its begin included."""
    most, count, last = [0] * buckets, 0, 0
    for moment, change in sorted(events):
        bucket = at(moment)
        for passed in range(last + 1, bucket + 1):
            most[passed] = count
        last = bucket
        count += change
        most[bucket] = max(most[bucket], count)
    for passed in range(last + 1, buckets):
        most[passed] = count
    return most
