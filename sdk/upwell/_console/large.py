"""Runs that are too large to be read: lists by page and charts from aggregates."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from upwell._console.cursors import CursorError, dump_cursor, load_cursor
from upwell._console.levels import EMPTY_SHARDS_TO_STOP, Level, Levels
from upwell._console.models import Tree
from upwell._console.rows import Row, row_of
from upwell._console.snapshot import FAILED, Order, RowFilter, Snapshot, Timeline
from upwell._console.summary import summaries_of
from upwell._core.aggregates import Aggregates, Kind, KindKey, nonzero
from upwell._core.limits import JOURNAL_SHARD_ENTRIES
from upwell._core.load_curve import load_of
from upwell._core.model import ActionKey, ActionRecord, RunRecord
from upwell._core.ports import StateStore

SHARDS_AT_ONCE = 12
"""Of a journal, for one page of a filtered level: a filter that few pass gives short pages."""
NAMES_MAX = 500
"""Slowest or failed actions of all kinds that one list has."""


class LargeRun:
    """A run as its aggregates tell it.

    Args:
        store: Where it is.
        run: Its record.
        aggregates: Of the run.
    """

    def __init__(self, store: StateStore, run: RunRecord, aggregates: Aggregates) -> None:
        self._store = store
        self._run_id = run.spec.run_id
        self._is_over = run.status.is_terminal
        self._aggregates = aggregates
        self._levels = Levels(store)
        self._known_levels: dict[str, Level] = {}

    def shows(self, counts: Mapping[str, Mapping[str, int]]) -> bool:
        """Whether aggregates have all that was counted."""
        return nonzero(self._aggregates.counts) == nonzero(counts)

    async def tree(
        self,
        parent: ActionRecord | None,
        *,
        order: Order,
        limit: int,
        cursor: str | None,
        offset: int,
        wanted: RowFilter,
    ) -> Tree:
        """Return a page of a level.

        Args:
            parent: Whose calls; None for the actions of all levels.
            order: Of a large level, `slowest` and `failed` are those that are known by name.
            limit: Most rows.
            cursor: Where the page before ended.
            offset: How many rows to skip, where a list can be entered anywhere.
            wanted: Which of them.

        Raises:
            CursorError: the cursor is not of this list, or the list has no such place.
        """
        is_first = cursor is None and offset == 0
        if parent is None:
            kinds = {key: kind for key, kind in self._aggregates.kinds.items() if not key[0]}
            tree = await self._known_by_name(kinds, order, limit, cursor, offset, wanted)
            tree = tree or await self._found(limit, cursor, offset, wanted)
            return tree.model_copy(update={"summaries": summaries_of(_by_task(kinds)) if is_first else []})
        level = await self._level(parent)
        if level.is_whole:
            snapshot = Snapshot.of_level(map(row_of, level.records), time.time())
            parent_id = parent.spec.action_id
            page = snapshot.children(
                parent_id, order=order, limit=limit, cursor=cursor, offset=offset, wanted=wanted
            )
            summaries = snapshot.summaries(parent_id) if is_first else []
            return Tree(rows=page.rows, next=page.next, total=page.total, summaries=summaries)
        tree = await self._known_by_name(level.kinds, order, limit, cursor, offset, wanted)
        tree = tree or await self._called(level, limit, cursor, offset, wanted)
        return tree.model_copy(update={"summaries": summaries_of(level.kinds) if is_first else []})

    async def _level(self, parent: ActionRecord) -> Level:
        action_id = parent.spec.action_id
        if action_id not in self._known_levels:
            self._known_levels[action_id] = await self._levels.read(parent, self._aggregates)
        return self._known_levels[action_id]

    def timeline(self, buckets: int) -> Timeline:
        """Return how much was under way, in at most so many stretches; means, rounded up."""
        curve = self._aggregates.curve
        until = 0 if self._is_over else round(time.time() * 1000)
        load = load_of(curve, max(until, max(curve.stretches) << curve.bits), buckets)
        return Timeline(
            start=load.start,
            end=load.start + len(load.running) * load.stretch_s,
            bucket_s=load.stretch_s,
            running=[_whole(n) for n in load.running],
            queued=[_whole(n) for n in load.queued],
            ended=load.ended,
            failed=load.failed,
        )

    async def _known_by_name(
        self,
        kinds: Mapping[KindKey, Kind],
        order: Order,
        limit: int,
        cursor: str | None,
        offset: int,
        wanted: RowFilter,
    ) -> Tree | None:
        """Return a page of the slowest or the failed; None where there are none, or others are asked for."""
        if order == "called":
            return None
        names: dict[str, int] = {}
        for (_, task, group), kind in kinds.items():
            if _has_kind(wanted, task, group):
                names |= kind.slowest if order == "slowest" else kind.failed
        ranked = sorted(names, key=lambda name: (-names[name], name))[:NAMES_MAX]
        records = await self._store.get_many([ActionKey(self._run_id, name) for name in ranked])
        rows = [
            row_of(records[key]) for key in (ActionKey(self._run_id, name) for name in ranked) if key in records
        ]
        rows = [row for row in rows if wanted.has(row) and (order == "slowest" or row.status in FAILED)]
        if not rows:
            return None
        first = offset
        if cursor is not None:
            kept, at = load_cursor(cursor, (str, int))
            if kept != order:
                raise CursorError(cursor)
            first += at
        page, last = rows[first : first + limit], first + limit
        return Tree(
            rows=page,
            next=dump_cursor(order, last) if last < len(rows) else None,
            total=len(rows),
            summaries=[],
        )

    async def _called(
        self, level: Level, limit: int, cursor: str | None, offset: int, wanted: RowFilter
    ) -> Tree:
        """Return a page of a large level in the order of the calls."""
        shard, skipped = (0, 0) if cursor is None else load_cursor(cursor, (int, int))
        if shard < 0 or skipped < 0:
            raise CursorError(cursor or "")
        is_anywhere = level.is_regular and _has_all(wanted, level.kinds)
        if is_anywhere and cursor is None:
            records = await self._levels.page(level.parent, offset, limit)
            shard, skipped = divmod(offset + limit, JOURNAL_SHARD_ENTRIES)
            is_last = offset + limit >= level.total
            return _tree(map(row_of, records), None if is_last else (shard, skipped), level.total)
        if offset:
            raise CursorError(f"offset {offset}")
        rows: list[Row] = []
        last_shard, empty = max((kind.last_shard for kind in level.kinds.values()), default=0), 0
        for shard_now in range(shard, shard + SHARDS_AT_ONCE):
            records = await self._levels.shard(level.parent, shard_now)
            empty = 0 if records else empty + 1
            if empty >= EMPTY_SHARDS_TO_STOP and shard_now > last_shard:
                return _tree(rows, None, None)
            for place, record in enumerate(records):
                row = row_of(record)
                if (shard_now, place) < (shard, skipped) or not wanted.has(row):
                    continue
                if len(rows) == limit:
                    return _tree(rows, (shard_now, place), None)
                rows.append(row)
        return _tree(rows, (shard + SHARDS_AT_ONCE, 0), None)

    async def _found(self, limit: int, cursor: str | None, offset: int, wanted: RowFilter) -> Tree:
        """Return a page of the actions of all levels, in no particular order."""
        if offset:
            raise CursorError(f"offset {offset}")
        after = None if cursor is None else load_cursor(cursor, (str,))[0]
        kinds = [
            (task, status)
            for task, by_status in sorted(nonzero(self._aggregates.counts).items())
            for status in sorted(by_status)
            if _has_kind(wanted, task, None) and (not wanted.statuses or status.lower() in wanted.statuses)
        ]
        if not kinds:
            return _tree([], None, None)
        try:
            records, after = await self._store.find_actions(self._run_id, kinds, after, limit)
        except (ValueError, IndexError) as e:
            raise CursorError(cursor or "") from e
        rows = [row for row in map(row_of, records) if wanted.has(row)]
        return _tree(rows, None if after is None else (after,), None)


def _tree(rows: Iterable[Row], next_: tuple[Any, ...] | None, total: int | None) -> Tree:
    next_cursor = None if next_ is None else dump_cursor(*next_)
    return Tree(rows=list(rows), next=next_cursor, total=total, summaries=[])


def _has_kind(wanted: RowFilter, task: str, group: str | None) -> bool:
    is_task = not wanted.tasks or not wanted.tasks.isdisjoint((task, task.rpartition(".")[2]))
    return is_task and (None in (group, wanted.group) or group in (wanted.group, ""))


def _has_all(wanted: RowFilter, kinds: Mapping[KindKey, Kind]) -> bool:
    """Whether a filter leaves out nothing of a level."""
    if wanted.statuses:
        return False
    return all(
        _has_kind(wanted, task, None) and wanted.group in (None, group) for _, task, group in kinds if kinds
    )


def _by_task(kinds: Mapping[KindKey, Kind]) -> dict[KindKey, Kind]:
    found: dict[KindKey, Kind] = {}
    for (_, task, _), kind in kinds.items():
        found.setdefault(("", task, ""), Kind()).add(kind)
    return found


def _whole(n: float) -> int:
    return int(-(-round(n, 3) // 1))
