"""Pools and kept results."""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from dataclasses import asdict

from upwell._client.backend import Backend
from upwell._console.cursors import CursorError, dump_cursor, load_cursor
from upwell._console.models import CacheList, Held, Kept, Pool, Scaling
from upwell._core.keys import DEFAULT_POOL
from upwell._core.model import ActionRecord, CacheSummary, PoolSize, RunRecord, Status
from upwell._core.scaling import ScalingEvent

RUNS_LOOKED_AT = 200
"""Newest runs whose pools are shown."""
HELD_SHOWN = 200
"""Of one pool."""
CACHE_LOOKED_AT = 1000
"""Where all tasks' results are asked for: they come in no order, and the newest of these are shown."""


async def list_pools(backend: Backend) -> list[Pool]:
    """Return the pools of the newest runs: what waits there, and who is at work now."""
    runs = await backend.store.list_runs(RUNS_LOOKED_AT)
    alive = [run for run in runs if not run.status.is_terminal]
    alive = [run for run in alive if await backend.is_alive(run)]
    sizes: dict[str, PoolSize | None] = {DEFAULT_POOL: None}
    for run in reversed(runs):
        sizes.setdefault(run.root.task.pool, None)
        sizes.update(run.pools)
    held = await _held(backend, alive)
    names = sorted({*sizes, *held})
    backlogs = await asyncio.gather(*(backend.backlog(name) for name in names))
    scalings = await asyncio.gather(*(backend.scaling(name) for name in names))
    return [
        _pool(name, sizes.get(name), held.get(name, []), backlog, scaling)
        for name, backlog, scaling in zip(names, backlogs, scalings, strict=True)
    ]


async def _held(backend: Backend, runs: list[RunRecord]) -> dict[str, list[ActionRecord]]:
    """Return the actions that are at work, by pool."""
    found: dict[str, list[ActionRecord]] = defaultdict(list)
    for run in runs:
        async for record in backend.store.list_open(run.spec.run_id):
            if record.status is Status.RUNNING and record.attempts:
                found[record.spec.task.pool].append(record)
    return found


def _pool(
    name: str,
    size: PoolSize | None,
    records: list[ActionRecord],
    backlog: int | None,
    scaling: list[ScalingEvent],
) -> Pool:
    executors = {record.attempts[-1].executor for record in records}
    records.sort(key=lambda record: record.attempts[-1].started_at)
    return Pool(
        pool=name,
        kind=size.kind if size is not None else None,
        replicas=len(executors),
        slots=size.slots if size is not None else None,
        busy=len(records),
        held=[_one_held(record) for record in records[:HELD_SHOWN]],
        backlog=backlog,
        scaling=[Scaling(**asdict(event)) for event in scaling],
    )


def _one_held(record: ActionRecord) -> Held:
    attempt = record.attempts[-1]
    return Held(
        action_id=record.spec.action_id,
        run_id=record.spec.run.run_id,
        task=record.spec.task.name,
        executor=attempt.executor.id,
        since=attempt.started_at,
        until=record.lease.expires_at if record.lease is not None else None,
    )


async def list_cache(backend: Backend, *, task: str | None, cursor: str | None, limit: int) -> CacheList:
    """Return kept results, newest first: of one task page by page, of all tasks some.

    Raises:
        CursorError: the cursor is not of this list.
    """
    before, seen = (None, 0) if cursor is None else _reached(cursor, task)
    wanted = CACHE_LOOKED_AT if task is None else seen + limit
    found = [entry async for entry in backend.store.list_cached(task, before=before, limit=wanted)]
    if task is None:
        found.sort(key=lambda entry: (-entry.created_at, entry.key))
    page, now = found[seen : seen + limit], time.time()
    is_last = task is None or len(page) < limit
    return CacheList(entries=[_kept(entry, now) for entry in page], next=None if is_last else _cursor(found))


def _reached(cursor: str, task: str | None) -> tuple[float, int]:
    """Return what entries are to be older than, and how many of these were shown already."""
    at, seen = load_cursor(cursor, (float, int))
    if task is None or seen < 1:
        raise CursorError(cursor)
    return math.nextafter(at, math.inf), seen


def _cursor(found: list[CacheSummary]) -> str:
    """Return the cursor of the page after these: how many are of the last one's time, as a batch's are."""
    at = found[-1].created_at
    return dump_cursor(at, sum(entry.created_at == at for entry in found))


def _kept(entry: CacheSummary, now: float) -> Kept:
    parts = entry.parts
    age_s = max(0.0, now - entry.created_at)
    return Kept(
        key=entry.key,
        task=entry.task or None,
        version=parts.version if parts is not None else None,
        version_from=parts.how if parts is not None else None,
        created_at=entry.created_at,
        max_age_s=entry.max_age_s,
        expired=entry.max_age_s is not None and age_s > entry.max_age_s,
        size_bytes=entry.size_bytes,
        run_id=entry.made_by.run_id,
        action_id=entry.made_by.action_id,
    )
