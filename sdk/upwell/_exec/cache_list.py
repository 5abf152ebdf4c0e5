"""Which kept results a person asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from upwell._core.batch import BatchInputs
from upwell._core.model import ActionRecord, CacheSummary
from upwell._core.ports import BlobNotFoundError, BlobStore, StateStore
from upwell._exec.payloads import unpack

KEYS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which kept results.

    Attributes:
        task: Only those of this task, by its full name.
        run: Only those that this run made.
        before: Only those that were kept earlier than that, epoch seconds.
    """

    task: str | None = None
    run: str | None = None
    before: float | None = None

    def has(self, entry: CacheSummary) -> bool:
        """Whether an entry is one of them."""
        return (
            self.task in (None, entry.task)
            and self.run in (None, entry.made_by.run_id)
            and (self.before is None or entry.created_at < self.before)
        )


async def select(
    store: StateStore, blobs: BlobStore, wanted: Selection, *, limit: int | None = None
) -> AsyncIterator[CacheSummary]:
    """Yield kept results. Those of a run are found by its actions, those of a task by its index."""
    if wanted.run is not None:
        found = _of_run(store, blobs, wanted.run)
    elif wanted.task is not None:
        found = store.list_cached(wanted.task, before=wanted.before, limit=limit)
    else:
        found = store.list_cached()
    count = 0
    async for entry in found:
        if limit is not None and count >= limit:
            return
        if wanted.has(entry):
            count += 1
            yield entry


async def _of_run(store: StateStore, blobs: BlobStore, run_id: str) -> AsyncIterator[CacheSummary]:
    keys: list[str] = []
    async for record in store.list_actions(run_id):
        keys += await _keys_of(blobs, record)
        while len(keys) >= KEYS_AT_ONCE:
            for entry in (await store.get_cached(keys[:KEYS_AT_ONCE])).values():
                yield entry.summary
            keys = keys[KEYS_AT_ONCE:]
    for entry in (await store.get_cached(keys)).values():
        yield entry.summary


async def _keys_of(blobs: BlobStore, record: ActionRecord) -> list[str]:
    """Return the keys under which an action may have kept results."""
    task = record.spec.task
    if record.cached_from is not None or task.cache_parts is None:
        return []
    if record.spec.items <= 1:
        return [task.cache_key] if task.cache_key is not None else []
    try:
        return list(BatchInputs.load(await unpack(blobs, record.spec.inputs)).keys)
    except BlobNotFoundError:
        return []
