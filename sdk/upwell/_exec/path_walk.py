"""Reads what the critical path of a run goes through, and little else, however many actions the run has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import chain

from upwell._core.critical_path import EARLIER, Step, critical_path
from upwell._core.journal import Cursor, Scheduled
from upwell._core.model import ActionKey, ActionRecord
from upwell._core.phases import Waits
from upwell._core.ports import StateStore

SHARDS_AT_ONCE = 4
"""Of a journal: the children that a parent has in flight at most."""
RECORDS_MAX = 5000
"""Read for one path; what is before is told as one step."""


class PathWalk:
    """Follows the critical path of a run from its end.

    The children of a parent are read from the last shard of its journal on, as far back as the path goes.

    Args:
        store: Where journals and records are.
    """

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._records: dict[str, ActionRecord] = {}
        self._unread: dict[str, int] = {}
        """Parents that were looked into -> how many shards of their journals are left."""
        self._known_since: dict[str, float] = {}

    @property
    def read(self) -> int:
        """How many records were read."""
        return len(self._records)

    async def follow(self, root: ActionKey, noticed_s: Mapping[str, float]) -> list[Step]:
        """Return the path, first step first; empty while the root has not ended.

        Args:
            root: The run's root action.
            noticed_s: How late parents notice ends, by task, in seconds.
        """
        record = await self._store.get(root)
        if record is None or record.ended_at is None:
            return []
        self._records[root.action_id] = record
        while True:
            known = list(self._records.values())
            path = await asyncio.to_thread(critical_path, known, noticed_s, self._known_since)
            lacking = self._lacking(path)
            if not lacking or self.read >= RECORDS_MAX:
                return path
            await asyncio.gather(*(self._look_into(self._records[action_id]) for action_id in lacking))

    def _lacking(self, path: list[Step]) -> list[str]:
        """Return the actions on a path of whose children too few are known."""
        found = {step.action_id for step in path if step.phase == EARLIER}
        visited = dict.fromkeys(step.action_id for step in path)
        found |= {name for name in visited if name not in self._unread and _made_calls(self._records[name])}
        return sorted(found)

    async def _look_into(self, parent: ActionRecord) -> None:
        """Read the next few shards of a parent's children, the last ones first."""
        action_id = parent.spec.action_id
        left = self._unread.get(action_id)
        left = await self._shards(parent) if left is None else left
        first = max(0, left - SHARDS_AT_ONCE)
        shards = await asyncio.gather(*(self._children(parent, shard) for shard in range(first, left)))
        children = list(chain.from_iterable(shards))
        records = await self._store.get_many(list(dict.fromkeys(children)))
        self._records |= {key.action_id: record for key, record in records.items()}
        self._unread[action_id] = first
        if not first:
            self._known_since.pop(action_id, None)
        elif records:
            called = min(record.spec.queued_at or record.created_at for record in records.values())
            self._known_since[action_id] = min(called, self._known_since.get(action_id, called))

    async def _shards(self, parent: ActionRecord) -> int:
        """Return how many shards a parent's journal has: those after two that are empty are none."""
        none, some = 0, 1
        while await self._is_there(parent, some):
            none, some = some, 2 * some
        while some - none > 1:
            middle = (none + some) // 2
            if await self._is_there(parent, middle):
                none = middle
            else:
                some = middle
        return some

    async def _is_there(self, parent: ActionRecord, shard: int) -> bool:
        found = await asyncio.gather(*(self._children(parent, one) for one in (shard, shard + 1)))
        return any(found)

    async def _children(self, parent: ActionRecord, shard: int) -> list[ActionKey]:
        cursor = Cursor()
        entries = cursor.take(await self._store.read(parent.key, shard, cursor.after))
        scheduled = (entry for entry in entries if isinstance(entry, Scheduled))
        run_id = parent.spec.run.run_id
        return [ActionKey(run_id, sent.action_id) for entry in scheduled for sent in entry.children]


def _made_calls(record: ActionRecord) -> bool:
    """Whether an action made calls, or could have: one whose record does not say so."""
    return bool(record.hits) or any(
        not attempt.phases or attempt.noticed or Waits.unpacked(attempt.phases).waiting_s
        for attempt in record.attempts
    )
