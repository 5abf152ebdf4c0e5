"""Snapshots of runs in memory: each is read anew only when its run has changed."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from upwell._console.rows import row_of
from upwell._console.snapshot import Snapshot
from upwell._core.children import unclaimed
from upwell._core.model import ROOT_ID, ActionRecord, RunRecord, Status
from upwell._core.ports import StateStore
from upwell._exec.control import all_actions

RUNS_KEPT = 8
REST = 1.0
"""Between two readings of a run lies at least this many times the length of the first one."""


@dataclass(slots=True)
class _Kept:
    """Of one run."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    version: str = ""
    snapshot: Snapshot | None = None
    began_at: float = 0.0
    again_at: float = 0.0


class Snapshots:
    """Reads runs.

    Args:
        store: Where their actions are.
    """

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def of(self, run: RunRecord, version: str) -> Snapshot:
        """Return a run as it was at this version, or later.

        Those who ask at the same time share one reading, and those who waited for one share the next, whatever
        their versions; a large run that changes all the time is read less often, so that reading it takes at
        most half of the server's time.
        """
        asked_at = time.monotonic()
        kept = self._kept.setdefault(run.spec.run_id, _Kept())
        self._kept.move_to_end(run.spec.run_id)
        async with kept.lock:
            if kept.snapshot is None or (kept.version != version and kept.began_at <= asked_at):
                await asyncio.sleep(max(0.0, kept.again_at - time.monotonic()))
                began_at = time.monotonic()
                kept.snapshot = await self._read(run)
                kept.began_at, ended_at = began_at, time.monotonic()
                kept.again_at = ended_at + REST * (ended_at - began_at)
            kept.version = version
        while len(self._kept) > RUNS_KEPT:
            self._kept.popitem(last=False)
        return kept.snapshot

    async def _read(self, run: RunRecord) -> Snapshot:
        read_at = time.time()
        records = await all_actions(self._store, run.spec.run_id)
        return await asyncio.to_thread(_snapshot, run, records, read_at)


def _snapshot(run: RunRecord, records: list[ActionRecord], read_at: float) -> Snapshot:
    rows = {record.spec.action_id: row_of(record) for record in records}
    if ROOT_ID not in rows:
        rows[ROOT_ID] = row_of(unclaimed_root(run))
    return Snapshot.of(rows.values(), read_at)


def unclaimed_root(run: RunRecord) -> ActionRecord:
    """Return the root action of a run that nobody has claimed, as a record: waiting, or ended with the run."""
    record = unclaimed(run.root)
    status = run.status if run.status.is_terminal else Status.QUEUED
    return ActionRecord(
        spec=record.spec,
        status=status,
        version=0,
        generation=record.generation,
        created_at=run.began_at,
        ended_at=run.ended_at,
        outcome=run.outcome,
    )
