"""The levels of a run that is too large to be read: children by page, in the order in which they were called.

A parent's journal is the index: a shard of it has its next children, and their records are read for the page
that is shown. What a level comes to is known from aggregates, but for its first shard: that is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from upwell._core.aggregates import Aggregates, Kind, KindKey, facts_of
from upwell._core.children import child_spec, hit_record, unclaimed
from upwell._core.journal import Cursor, Entry, Hits, Scheduled
from upwell._core.limits import JOURNAL_SHARD_ENTRIES
from upwell._core.model import ActionRecord, Status
from upwell._core.ports import StateStore

SMALL_SHARDS = 4
"""A level whose journal has fewer shards is read as a whole."""
EMPTY_SHARDS_TO_STOP = 2
"""A shard may be missing when its writer died in between; two in a row are the end."""
NAMED = 1000
"""Of the slowest and of the failed that are in the first shard: all."""


@dataclass(slots=True)
class Level:
    """The calls of a parent.

    Attributes:
        records: Of the first shards of its journal: all of them where `is_whole`.
        is_whole: Whether that is the whole level.
        kinds: What is known of all of them, by task and group, where it is not.
        is_regular: Whether each shard but the last one has as many children as fit: a page is found at once.
    """

    parent: ActionRecord
    records: list[ActionRecord]
    is_whole: bool = True
    kinds: dict[KindKey, Kind] = field(default_factory=dict)
    is_regular: bool = False

    @property
    def total(self) -> int:
        """How many there are, as far as is known."""
        return sum(kind.total for kind in self.kinds.values())


class Levels:
    """Reads levels.

    Args:
        store: Where journals and records are.
    """

    def __init__(self, store: StateStore) -> None:
        self._store = store

    async def read(self, parent: ActionRecord, aggregates: Aggregates) -> Level:
        """Return a level: all of it if it is small, else its first shard and what it comes to."""
        action_id = parent.spec.action_id
        large = {key: kind for key, kind in aggregates.kinds.items() if key[0] == action_id}
        last_shard = max((kind.last_shard for kind in large.values()), default=0)
        shards = [await self.shard(parent, 0)]
        empty = 0 if shards[0] else 1
        while last_shard < SMALL_SHARDS and len(shards) < SMALL_SHARDS + EMPTY_SHARDS_TO_STOP:
            shards.append(await self.shard(parent, len(shards)))
            empty = 0 if shards[-1] else empty + 1
            if empty == EMPTY_SHARDS_TO_STOP:
                return Level(parent, _distinct(record for shard in shards for record in shard))
        kinds = _with(large, shards[0])
        _add_hits(kinds, parent, shards[0])
        level = Level(parent, shards[0], is_whole=False, kinds=kinds)
        level.is_regular = not aggregates.levels_left_out and _is_regular(level, large, last_shard)
        return level

    async def shard(self, parent: ActionRecord, shard: int) -> list[ActionRecord]:
        """Return the children that one shard of a parent's journal tells of, in the order of the calls."""
        return await self._known(await self._told(parent, shard))

    async def page(self, parent: ActionRecord, offset: int, limit: int) -> list[ActionRecord]:
        """Return some children of a regular level.

        Args:
            parent: Whose children.
            offset: How many are before them.
            limit: How many at most.
        """
        first, last = offset // JOURNAL_SHARD_ENTRIES, (offset + limit - 1) // JOURNAL_SHARD_ENTRIES
        shards = await asyncio.gather(*(self._told(parent, shard) for shard in range(first, last + 1)))
        told = [record for shard in shards for record in shard]
        skipped = offset - first * JOURNAL_SHARD_ENTRIES
        return await self._known(told[skipped : skipped + limit])

    async def _told(self, parent: ActionRecord, shard: int) -> list[ActionRecord]:
        cursor = Cursor()
        entries = cursor.take(await self._store.read(parent.key, shard, cursor.after))
        return _children(parent, shard, entries)

    async def _known(self, told: list[ActionRecord]) -> list[ActionRecord]:
        """Return the records of children that have one, and what their parent's journal tells of the others."""
        records = await self._store.get_many([each.key for each in told if not each.cached_from])
        found = [records.get(each.key, each) for each in told]
        return [each for each in found if each.status is not Status.NEW]


def _children(parent: ActionRecord, shard: int, entries: Iterable[Entry]) -> list[ActionRecord]:
    """Return what a journal tells of children, in the order of the calls; some were in the cache.

    One that an earlier generation sent, or a parent that has ended, is NEW: it shows if it has a record.
    """
    found: dict[str, ActionRecord] = {}
    for entry in entries:
        if isinstance(entry, Hits):
            for hit in entry.children:
                found[hit.action_id] = hit_record(parent, hit, entry.at)
        elif isinstance(entry, Scheduled):
            is_open = entry.generation == parent.generation and not parent.status.is_terminal
            for sent in entry.children:
                record = unclaimed(replace(child_spec(parent.spec, sent, shard), queued_at=entry.at))
                record = replace(record, created_at=entry.at, status=Status.QUEUED if is_open else Status.NEW)
                found.setdefault(sent.action_id, record)
    return list(found.values())


def _distinct(records: Iterable[ActionRecord]) -> list[ActionRecord]:
    return list({record.spec.action_id: record for record in records}.values())


def _with(large: dict[KindKey, Kind], records: list[ActionRecord]) -> dict[KindKey, Kind]:
    """Return the kinds of a level with those of its first shard, which aggregates leave out."""
    kinds: dict[KindKey, Kind] = {}
    for key, kind in large.items():
        kinds.setdefault(key, Kind()).add(kind)
    for record in records:
        facts = facts_of(record)
        kind = kinds.setdefault((record.spec.parent_id or "", facts.task, facts.group), Kind())
        kind.count(facts, 1)
        kind.remember(facts, NAMED)
    return kinds


def _add_hits(kinds: dict[KindKey, Kind], parent: ActionRecord, first: list[ActionRecord]) -> None:
    """Count what the cache has answered after the first shard: the parent knows of which tasks."""
    for task, n in parent.hits.items():
        known = sum(record.spec.task.name == task and record.cached_from is not None for record in first)
        if n > known:
            kinds.setdefault((parent.spec.action_id, task, ""), Kind()).hit(facts_of(parent), n - known)


def _is_regular(level: Level, large: dict[KindKey, Kind], last_shard: int) -> bool:
    beyond = sum(kind.total for kind in large.values())
    full = (last_shard - 1) * JOURNAL_SHARD_ENTRIES
    # Of a parent that goes on, some are called and not claimed, and aggregates are behind.
    waiting = 0 if level.parent.status.is_terminal else beyond
    return (
        beyond > 0
        and not level.parent.hits
        and len(level.records) == JOURNAL_SHARD_ENTRIES
        and full - waiting < beyond <= full + JOURNAL_SHARD_ENTRIES
    )
