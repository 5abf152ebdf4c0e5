"""Finds and deletes blobs that nobody needs: `upwell gc`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from upwell._core.garbage import GRACE_S, KEPT_S, PREFIXES, BlobInfo, Mentions, is_live, is_needed, run_of
from upwell._core.journal import Journal
from upwell._core.keys import CACHED, VALUES
from upwell._core.model import Status
from upwell._core.ports import BlobNotFoundError, BlobStore, StateStore
from upwell._core.wire import dump_cache_entry, dump_entry, dump_record, dump_run
from upwell._exec.replay import read_journal

ALL_RUNS = 10_000_000
"""More than are listed."""
READS_AT_ONCE = 16
DELETED_AT_ONCE = 1000
"""Blobs between two looks at what has begun meanwhile; one request to S3."""
_ENTRIES_AT_ONCE = 100


@dataclass(slots=True)
class Collector:
    """One collection.

    Attributes:
        store: Where runs and cache entries are.
        blobs: What is collected.
        now: The time, epoch seconds.
        kept_s: For how long a run that has ended is kept.
        grace_s: No blob that is younger is deleted.
    """

    store: StateStore
    blobs: BlobStore
    now: float
    kept_s: float = KEPT_S
    grace_s: float = GRACE_S
    _mentioned: Mentions = field(default_factory=Mentions)
    _live: set[str] = field(default_factory=set)
    _entries: set[tuple[str, float]] = field(default_factory=set)
    _read: set[str] = field(default_factory=set)

    async def find(self) -> list[BlobInfo]:
        """Return the blobs that nobody needs, by key."""
        old = [blob async for blob in self._old_blobs()]
        await self._look()
        suspects = [blob for blob in old if not is_needed(blob, self._live, self._mentioned)]
        if any(run_of(blob.key) is not None or "/inputs/" in blob.key for blob in suspects):
            await self._read_values()
        return [blob for blob in suspects if not is_needed(blob, self._live, self._mentioned)]

    async def delete(self, found: list[BlobInfo]) -> list[BlobInfo]:
        """Delete what was found, but for what is needed since, and return what was deleted.

        Before each thousand, runs and entries that are new are looked at, and so is the age of what is shared.
        """
        deleted: list[BlobInfo] = []
        for some in (found[n : n + DELETED_AT_ONCE] for n in range(0, len(found), DELETED_AT_ONCE)):
            await self._look()
            await self._read_values()
            still = [blob for blob in some if not is_needed(blob, self._live, self._mentioned)]
            still = [blob for blob in still if run_of(blob.key) is not None or not await self._is_used(blob)]
            await self.blobs.delete([blob.key for blob in still])
            deleted += still
        return deleted

    async def _is_used(self, blob: BlobInfo) -> bool:
        """Whether a shared blob was written again since it was listed: somebody is about to use it."""
        return await self.blobs.is_younger(blob.key, self.grace_s)

    async def _old_blobs(self) -> AsyncIterator[BlobInfo]:
        for prefix in PREFIXES:
            async for blob in self.blobs.list(prefix):
                if blob.modified_at <= self.now - self.grace_s:
                    yield blob

    async def _look(self) -> None:
        """Take in what runs and entries of the cache mention, those that were seen before left out."""
        for run in await self.store.list_runs(ALL_RUNS):
            run_id = run.spec.run_id
            if run_id in self._live or not is_live(run, self.now, self.kept_s):
                continue
            self._live.add(run_id)
            self._mentioned.take(dump_run(run).encode())
            await self._take_actions(run_id)
        await self._take_entries()

    async def _take_actions(self, run_id: str) -> None:
        async for action in self.store.list_actions(run_id):
            self._mentioned.take(dump_record(action).encode())
            if action.status is not Status.SUCCEEDED or action.hits:  # its journal has what nothing else has
                key = action.key
                for entry in await read_journal(self.store, key, Journal(action.spec.run.generation)):
                    self._mentioned.take(dump_entry(entry).encode())

    async def _take_entries(self) -> None:
        fresh: list[str] = []
        async for summary in self.store.list_cached():
            if (summary.key, summary.created_at) not in self._entries:
                self._entries.add((summary.key, summary.created_at))
                fresh.append(summary.key)
        for some in (fresh[n : n + _ENTRIES_AT_ONCE] for n in range(0, len(fresh), _ENTRIES_AT_ONCE)):
            for entry in (await self.store.get_cached(some)).values():
                self._mentioned.take(dump_cache_entry(entry).encode())

    async def _read_values(self) -> None:
        """Take in what large values mention: those of live runs, and results that the cache refers to."""
        keys = [blob.key async for blob in self.blobs.list(VALUES) if run_of(blob.key) in self._live]
        keys += [
            blob.key async for blob in self.blobs.list(CACHED) if is_needed(blob, self._live, self._mentioned)
        ]
        unread = [key for key in keys if key not in self._read]
        for some in (unread[n : n + READS_AT_ONCE] for n in range(0, len(unread), READS_AT_ONCE)):
            for text in await asyncio.gather(*map(self._text_of, some)):
                self._mentioned.take(text)
        self._read.update(unread)

    async def _text_of(self, key: str) -> bytes:
        try:
            return await self.blobs.get(key)
        except BlobNotFoundError:  # deleted by the bucket's own rules since it was listed
            return b""
