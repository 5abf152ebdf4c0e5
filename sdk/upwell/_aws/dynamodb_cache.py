"""The cache: kept results, by key, and listed by task."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Sequence
from typing import Any

from upwell._aws.dynamodb_batches import batched_reads, batched_writes
from upwell._aws.dynamodb_items import cache_item, number, read_cached, read_summary, text, with_expiry
from upwell._aws.dynamodb_table import Item, Table
from upwell._core.cache_key import kept_for_s
from upwell._core.keys import CACHE_BY_TASK, CACHE_SHARDS, task_shard
from upwell._core.limits import DYNAMODB_BATCH_WRITE_ITEMS
from upwell._core.model import CacheEntry, CacheSummary
from upwell._exec.batcher import Batcher

SHARD_PAGE_ITEMS = 25
"""Read at a time of each partition, where only some entries are wanted."""


class DynamoCache:
    """`Cache` on a table without a sort key, and an index by task and time.

    An entry costs a write unit for each KB, and one more for the index, which has all but the result. Entries
    are listed by the index; without a task, the table is read page by page.

    Args:
        table: The cache table.
        retention_s: How long an entry is kept at most; None keeps it.
    """

    def __init__(self, table: Table, retention_s: float | None) -> None:
        self._entries = table
        self._kept_s = retention_s
        self._entry_reads: Batcher[str, CacheEntry | None] = batched_reads(self._get_entries)
        self._entry_writes = batched_writes(table)

    async def get_cached(self, keys: Sequence[str]) -> dict[str, CacheEntry]:
        """Return those of the entries that exist."""
        entries = await asyncio.gather(*(self._entry_reads.submit(key) for key in keys))
        return {entry.key: entry for entry in entries if entry is not None}

    async def put_cached(self, entries: Sequence[CacheEntry]) -> None:
        """Keep entries; the last one under a key wins."""
        items = [
            with_expiry(cache_item(entry), entry.created_at, kept_for_s(entry.max_age_s, self._kept_s))
            for entry in {entry.key: entry for entry in entries}.values()
        ]
        for item in items:
            self._entries.check_size(item)
        await asyncio.gather(*(self._entry_writes.submit(item) for item in items))

    async def list_cached(
        self, task: str | None = None, *, before: float | None = None, limit: int | None = None
    ) -> AsyncIterator[CacheSummary]:
        """Yield what there is to know of entries; those of one task come newest first."""
        listed = self._scan() if task is None else self._of_task(task, before, limit)
        count = 0
        async for summary in listed:
            yield summary
            count += 1
            if limit is not None and count >= limit:
                return

    async def drop_cached(self, keys: Sequence[str]) -> None:
        """Delete entries, those that exist."""
        distinct = list(dict.fromkeys(keys))
        for first in range(0, len(distinct), DYNAMODB_BATCH_WRITE_ITEMS):
            some = distinct[first : first + DYNAMODB_BATCH_WRITE_ITEMS]
            await self._entries.delete_batch([{"pk": text(key)} for key in some])

    async def _get_entries(self, keys: list[str]) -> list[CacheEntry | None]:
        distinct = list(dict.fromkeys(keys))
        items = await self._entries.get_batch([{"pk": text(key)} for key in distinct])
        found = {entry.key: entry for entry in map(read_cached, items)}
        return [found.get(key) for key in keys]

    async def _scan(self) -> AsyncIterator[CacheSummary]:
        start: Item | None = None
        while True:
            page = await self._entries.scan({}, start)
            for item in page.items:
                yield read_summary(item)
            start = page.next_start
            if start is None:
                return

    async def _of_task(self, task: str, before: float | None, limit: int | None) -> AsyncIterator[CacheSummary]:
        """Merge the partitions of a task, of each of which one page is held."""
        shards = [self._shard(task, shard, before, limit) for shard in range(CACHE_SHARDS)]
        firsts = await asyncio.gather(*(anext(shard, None) for shard in shards))
        heap = [(-s.created_at, n, s) for n, s in enumerate(firsts) if s is not None]
        heapq.heapify(heap)
        while heap:
            _, n, summary = heapq.heappop(heap)
            yield summary
            following = await anext(shards[n], None)
            if following is not None:
                heapq.heappush(heap, (-following.created_at, n, following))

    async def _shard(
        self, task: str, shard: int, before: float | None, limit: int | None
    ) -> AsyncIterator[CacheSummary]:
        request: dict[str, Any] = {
            "IndexName": CACHE_BY_TASK,
            "KeyConditionExpression": "task_shard = :shard",
            "ExpressionAttributeValues": {":shard": text(task_shard(task, shard))},
            "ScanIndexForward": False,
        }
        if before is not None:
            request["KeyConditionExpression"] += " AND created_at < :before"
            request["ExpressionAttributeValues"][":before"] = number(before)
        if limit is not None:
            request["Limit"] = min(limit, SHARD_PAGE_ITEMS)
        start: Item | None = None
        while True:
            page = await self._entries.query(request, start)
            for item in page.items:
                yield read_summary(item)
            start = page.next_start
            if start is None:
                return
