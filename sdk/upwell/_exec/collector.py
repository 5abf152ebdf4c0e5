"""Finds and deletes blobs that nobody needs: `upwell gc`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from upwell._core.garbage import (
    GRACE_S,
    KEPT_S,
    PREFIXES,
    BlobInfo,
    Mentions,
    is_live,
    is_needed,
    name_of,
    run_of,
)
from upwell._core.journal import Journal
from upwell._core.keys import CACHED, INPUTS, TASKS, VALUES
from upwell._core.model import Status
from upwell._core.ports import BlobNotFoundError, BlobStore, StateStore
from upwell._core.wire import dump_cache_entry, dump_entry, dump_record, dump_run
from upwell._exec.replay import read_journal

ALL_RUNS = 10_000_000
"""More than are listed."""
AT_ONCE = 32
"""Blobs that are read, or whose age is asked for, at the same time."""
DELETED_AT_ONCE = 10_000
"""Blobs between two looks at what has begun meanwhile."""
_ENTRIES_AT_ONCE = 100
_CACHED_KEY = re.compile(rf"{CACHED}[0-9a-f]{{32,}}")


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
    _mentioned: Mentions = field(default_factory=Mentions, init=False)
    _live: set[str] = field(default_factory=set, init=False)
    _entries: set[tuple[str, float]] = field(default_factory=set, init=False)
    _unread_runs: set[str] = field(default_factory=set, init=False)
    """Live runs whose large values have not been read."""
    _unread_results: set[str] = field(default_factory=set, init=False)
    _read_results: set[str] = field(default_factory=set, init=False)

    async def find(self) -> list[BlobInfo]:
        """Return the blobs that nobody needs."""
        old = [blob async for blob in self._old_blobs()]
        self._mentioned = Mentions(name for blob in old if (name := name_of(blob.key)))
        await self._look()
        suspects = self._unneeded(old)
        if any(run_of(blob.key) is not None or blob.key.startswith(INPUTS) for blob in suspects):
            await self._read_values()
        return self._unneeded(suspects)

    async def delete(self, found: list[BlobInfo]) -> list[BlobInfo]:
        """Delete what was found, but for what is needed since, and return what was deleted.

        Before each ten thousand, runs and entries that are new are looked at, and the age of what is shared.
        """
        deleted: list[BlobInfo] = []
        for some in (found[n : n + DELETED_AT_ONCE] for n in range(0, len(found), DELETED_AT_ONCE)):
            await self._look()
            await self._read_values()
            still = await self._not_used_again(self._unneeded(some))
            await self.blobs.delete([blob.key for blob in still])
            deleted += still
        return deleted

    def _unneeded(self, blobs: list[BlobInfo]) -> list[BlobInfo]:
        return [blob for blob in blobs if not is_needed(blob, self._live, self._mentioned)]

    async def _not_used_again(self, blobs: list[BlobInfo]) -> list[BlobInfo]:
        """Leave out shared blobs that were written again since they were listed: somebody will use them."""
        shared = [blob.key for blob in blobs if run_of(blob.key) is None]
        used: set[str] = set()
        for some in _divided(shared):
            young = await asyncio.gather(*(self.blobs.is_younger(key, self.grace_s) for key in some))
            used.update(key for key, is_young in zip(some, young, strict=True) if is_young)
        return [blob for blob in blobs if blob.key not in used]

    async def _old_blobs(self) -> AsyncIterator[BlobInfo]:
        for prefix in PREFIXES:
            async for blob in self.blobs.list(prefix):
                if blob.modified_at <= self.now - self.grace_s:
                    yield blob

    # ---- what is needed ------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Take in what runs and entries of the cache mention, those that were seen before left out."""
        for run in await self.store.list_runs(ALL_RUNS):
            run_id = run.spec.run_id
            if run_id in self._live or not is_live(run, self.now, self.kept_s):
                continue
            self._live.add(run_id)
            self._unread_runs.add(run_id)
            self._take(dump_run(run))
            await self._take_actions(run_id)
        await self._take_entries()
        async for blob in self.blobs.list(TASKS):
            self._mentioned.take(await self._text_of(blob.key))

    async def _take_actions(self, run_id: str) -> None:
        async for action in self.store.list_actions(run_id):
            self._take(dump_record(action))
            if action.status is not Status.SUCCEEDED:  # its journal has what nothing else has
                journal = Journal(action.spec.run.generation)
                for entry in await read_journal(self.store, action.key, journal):
                    self._take(dump_entry(entry))

    async def _take_entries(self) -> None:
        fresh: list[str] = []
        async for summary in self.store.list_cached():
            if (summary.key, summary.created_at) not in self._entries:
                self._entries.add((summary.key, summary.created_at))
                fresh.append(summary.key)
        for some in (fresh[n : n + _ENTRIES_AT_ONCE] for n in range(0, len(fresh), _ENTRIES_AT_ONCE)):
            for entry in (await self.store.get_cached(some)).values():
                self._take(dump_cache_entry(entry))

    def _take(self, text: str) -> None:
        self._mentioned.take(text.encode())
        self._unread_results.update(_CACHED_KEY.findall(text))

    async def _read_values(self) -> None:
        """Take in what large values mention: those of live runs, and kept results."""
        keys = [key for key in self._unread_results if key not in self._read_results]
        self._read_results.update(keys)
        for run_id in self._unread_runs:
            keys += [blob.key async for blob in self.blobs.list(f"{VALUES}{run_id}/")]
        self._unread_results.clear()
        self._unread_runs.clear()
        for some in _divided(keys):
            for text in await asyncio.gather(*map(self._text_of, some)):
                self._mentioned.take(text)

    async def _text_of(self, key: str) -> bytes:
        try:
            return await self.blobs.get(key)
        except BlobNotFoundError:  # deleted by the bucket's own rules since it was mentioned
            return b""


def _divided(keys: list[str]) -> list[list[str]]:
    return [keys[n : n + AT_ONCE] for n in range(0, len(keys), AT_ONCE)]
