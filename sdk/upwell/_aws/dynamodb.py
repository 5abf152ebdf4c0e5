"""The state store of the `aws` and `sandbox` backends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Container, Sequence
from itertools import chain
from typing import Any

from upwell._aws.clients import Clients
from upwell._aws.dynamodb_aggregates import SUMS_SK_PREFIX, read_aggregates
from upwell._aws.dynamodb_batches import PARALLEL_BATCHES, PATIENCE_S, batched_reads
from upwell._aws.dynamodb_cache import DynamoCache
from upwell._aws.dynamodb_find import find_actions
from upwell._aws.dynamodb_holds import DynamoHolds
from upwell._aws.dynamodb_items import (
    RUNS_LISTING,
    VIEW_SK_PREFIX,
    action_item,
    action_item_key,
    instant,
    look_is,
    number,
    read_action,
    read_run,
    run_item,
    run_item_key,
    run_version_is,
    text,
    version_is,
    with_expiry,
    written_as,
)
from upwell._aws.dynamodb_table import BATCH_WRITE_BYTES, Item, Table
from upwell._aws.dynamodb_views import read_tally
from upwell._aws.journal_items import Line, journal_items, line, read_lines
from upwell._core.aggregates import Aggregates
from upwell._core.fold import merged
from upwell._core.journal import Entry, JournalItem
from upwell._core.keys import RUNS_BY_LOOK, RUNS_BY_STATUS, RUNS_BY_TIME, action_pks, journal_pk
from upwell._core.limits import DYNAMODB_BATCH_WRITE_ITEMS
from upwell._core.model import TERMINAL, ActionKey, ActionRecord, RunRecord, Status
from upwell._core.ports import RunView
from upwell._core.settings import Settings
from upwell._exec.batcher import Batcher

__all__ = ["DynamoStore", "run_item"]


JOURNAL_LINES = 200
"""Entries of one flush: small ones share items, so that they take a request or two."""


class DynamoStore(DynamoHolds, DynamoCache):
    """`StateStore` on four tables.

    A save is one conditional PutItem. Point reads and journal writes of many coroutines share requests.

    Args:
        clients: Where the DynamoDB client comes from.
        settings: Names of the tables.
        retention_s: How long after its creation a record is deleted by TTL; None keeps it.
    """

    def __init__(self, clients: Clients, settings: Settings, *, retention_s: float | None = None) -> None:
        self._actions = Table(clients, settings.actions_table)
        self._journal = Table(clients, settings.journal_table)
        self._runs = Table(clients, settings.runs_table)
        DynamoHolds.__init__(self, self._runs)
        DynamoCache.__init__(self, Table(clients, settings.cache_table), retention_s)
        self._retention_s = retention_s
        self._action_reads: Batcher[ActionKey, ActionRecord | None] = batched_reads(self._get_actions)
        self._journal_writes = Batcher(
            self._put_lines,
            max_items=JOURNAL_LINES,
            max_bytes=BATCH_WRITE_BYTES,
            size_of=lambda each: each.size_bytes,
            parallel=PARALLEL_BATCHES,
            patience_s=PATIENCE_S,
        )

    # --- actions ----------------------------------------------------------------------------------------------

    async def get(self, key: ActionKey) -> ActionRecord | None:
        """Return a record, strongly consistent."""
        return await self._action_reads.submit(key)

    async def get_many(self, keys: Sequence[ActionKey]) -> dict[ActionKey, ActionRecord]:
        """Return those of the records that exist."""
        records = await asyncio.gather(*(self._action_reads.submit(key) for key in keys))
        return {record.key: record for record in records if record is not None}

    async def save(self, record: ActionRecord, *, expected: int | None) -> bool:
        """Write a record if the stored version is `expected` (None: if there is none)."""
        item = with_expiry(action_item(record), record.created_at, self._retention_s)
        return await self._actions.put(item, version_is(expected))

    async def list_actions(self, run_id: str) -> AsyncIterator[ActionRecord]:
        """Yield every record of a run; a page of each of its partitions is read at a time."""
        starts: list[tuple[str, Item | None]] = [(pk, None) for pk in action_pks(run_id)]
        while starts:
            pages = await asyncio.gather(*(self._actions.query(_partition(pk), start) for pk, start in starts))
            starts = [
                (pk, page.next_start)
                for (pk, _), page in zip(starts, pages, strict=True)
                if page.next_start is not None
            ]
            for page in pages:
                for item in page.items:
                    yield read_action(item)

    async def find_actions(
        self, run_id: str, kinds: Sequence[tuple[str, str]], after: str | None, limit: int
    ) -> tuple[list[ActionRecord], str | None]:
        """Return some of a run's records, by task and status, partition by partition."""
        return await find_actions(self._actions, run_id, kinds, after, limit)

    async def list_open(self, run_id: str) -> AsyncIterator[ActionRecord]:
        """Yield the records of a run that have not ended, eventually consistent: half the price of a scan."""
        ended = {f":{status.value}": text(status.value) for status in TERMINAL}
        starts: list[tuple[str, Item | None]] = [(pk, None) for pk in action_pks(run_id)]
        while starts:
            pages = await asyncio.gather(*(self._actions.query(_open(pk, ended), at) for pk, at in starts))
            starts = [
                (pk, page.next_start)
                for (pk, _), page in zip(starts, pages, strict=True)
                if page.next_start is not None
            ]
            for page in pages:
                for item in page.items:
                    yield read_action(item)

    async def _get_actions(self, keys: list[ActionKey]) -> list[ActionRecord | None]:
        distinct = list(dict.fromkeys(keys))
        items = await self._actions.get_batch([action_item_key(key) for key in distinct])
        found = {record.key: record for record in map(read_action, items)}
        return [found.get(key) for key in keys]

    # --- journals ---------------------------------------------------------------------------------------------

    async def append(self, parent: ActionKey, shard: int, entries: Sequence[Entry]) -> None:
        """Add entries; repeating an entry changes nothing."""
        lines = [line(parent, shard, entry) for entry in entries]
        for each in lines:
            self._journal.check_size(each.plain_item)
        await asyncio.gather(*(self._journal_writes.submit(each) for each in lines))

    async def read(self, parent: ActionKey, shard: int, after: str = "") -> list[JournalItem]:
        """Return the entries above a sort key, in order, strongly consistent."""
        query = _partition(journal_pk(parent.run_id, parent.action_id, shard))
        if after:  # DynamoDB does not compare a key with an empty text
            query["KeyConditionExpression"] += " AND sk > :after"
            query["ExpressionAttributeValues"][":after"] = text(after)
        return read_lines(await self._journal.query_all(query), after)

    async def _put_lines(self, lines: list[Line]) -> list[None]:
        items, most = journal_items(lines, self._retention_s), DYNAMODB_BATCH_WRITE_ITEMS
        starts = range(0, len(items), most)
        await asyncio.gather(*(self._journal.put_batch(items[start : start + most]) for start in starts))
        return [None] * len(lines)

    # --- runs -------------------------------------------------------------------------------------------------

    async def get_run(self, run_id: str) -> RunRecord | None:
        """Return a run, with the end that the state machine may have recorded."""
        item = await self._runs.get(run_item_key(run_id))
        return None if item is None else read_run(item)

    async def save_run(self, run: RunRecord, *, expected: int | None) -> bool:
        """Write a run if its version is `expected` (None: if there is none)."""
        item = with_expiry(run_item(run), run.spec.created_at, self._retention_s)
        return await self._runs.put(item, run_version_is(expected))

    async def list_runs(
        self, limit: int = 100, *, before: float | None = None, statuses: Collection[Status] = ()
    ) -> list[RunRecord]:
        """Return the newest runs, newest first; the indexes may be a little behind."""
        if not statuses:
            return await self._indexed_runs(RUNS_BY_TIME, "listing", RUNS_LISTING, limit, before, list(Status))
        found = await asyncio.gather(
            *(
                self._indexed_runs(RUNS_BY_STATUS, "status", written, limit, before, statuses)
                for written in written_as(statuses)
            )
        )
        return sorted(chain(*found), key=lambda run: -run.spec.created_at)[:limit]

    async def _indexed_runs(
        self,
        index: str,
        attribute: str,
        partition: str,
        limit: int,
        before: float | None,
        statuses: Container[Status],
    ) -> list[RunRecord]:
        """Return the newest runs of one partition of an index, of those in some statuses."""
        found: list[RunRecord] = []
        start: Item | None = None
        condition, values = "#partition = :partition", {":partition": text(partition)}
        if before is not None:
            condition += " AND created_at < :before"
            values[":before"] = text(instant(before))
        while len(found) < limit:
            query = {
                "IndexName": index,
                "KeyConditionExpression": condition,
                "ExpressionAttributeNames": {"#partition": attribute},
                "ExpressionAttributeValues": values,
                "ScanIndexForward": False,
                "Limit": limit,  # not less as they are found: the others of a partition may be many
            }
            page = await self._runs.query(query, start)
            found += [run for run in map(read_run, page.items) if run.status in statuses]
            start = page.next_start
            if start is None:
                break
        return found[:limit]

    async def due_runs(self, now: float, limit: int) -> list[str]:
        """Return the runs whose `look_at` has come, the longest overdue first."""
        query = {
            "IndexName": RUNS_BY_LOOK,
            "KeyConditionExpression": "listing = :listing AND look_at <= :now",
            "ExpressionAttributeValues": {":listing": text(RUNS_LISTING), ":now": number(now)},
            "Limit": limit,
        }
        return [item["pk"]["S"] for item in (await self._runs.query(query)).items]

    async def plan_look(self, run: RunRecord, look_at: float | None, *, looked_at: float) -> bool:
        """Say when a run is looked at next, unless another look was planned since it was read."""
        if run.look_at is None:
            return False
        key, looked = run_item_key(run.spec.run_id), {":looked": number(looked_at)}
        condition = look_is(run.look_at)
        if look_at is None:
            return await self._runs.update(key, "REMOVE look_at SET looked_at = :looked", looked, condition)
        update = "SET look_at = :at, looked_at = :looked"
        return await self._runs.update(key, update, looked | {":at": number(look_at)}, condition)

    async def view(self, run_id: str) -> RunView:
        """Return what the stream function has counted so far."""
        items = await self._runs.query_all(_beginning(run_id, VIEW_SK_PREFIX))
        return RunView(merged(read_tally(item) for item in items))

    async def aggregates(self, run_id: str) -> Aggregates:
        """Return what the stream function has folded so far."""
        return read_aggregates(await self._runs.query_all(_beginning(run_id, SUMS_SK_PREFIX)))


def _open(pk: str, ended: dict[str, Any]) -> dict[str, Any]:
    query = _partition(pk)
    return query | {
        "ConsistentRead": False,
        "FilterExpression": f"NOT #status IN ({', '.join(ended)})",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": query["ExpressionAttributeValues"] | ended,
    }


def _beginning(pk: str, prefix: str) -> dict[str, Any]:
    query = _partition(pk)
    query["KeyConditionExpression"] += " AND begins_with(sk, :prefix)"
    query["ExpressionAttributeValues"][":prefix"] = text(prefix)
    return query


def _partition(pk: str) -> dict[str, Any]:
    return {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": text(pk)},
        "ConsistentRead": True,
    }
