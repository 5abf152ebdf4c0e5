"""Point reads and unconditional writes of many coroutines share requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from upwell._aws.dynamodb_table import BATCH_WRITE_BYTES, Item, Table
from upwell._core.limits import DYNAMODB_BATCH_GET_ITEMS, DYNAMODB_BATCH_WRITE_ITEMS
from upwell._core.usage import item_bytes
from upwell._exec.batcher import Batcher

T = TypeVar("T")

PARALLEL_BATCHES = 4
"""Batches of one kind in flight."""
PATIENCE_S = 0.1
"""How long a batch that is not full waits for one in flight, which takes milliseconds: it fills up meanwhile.
One that is throttled, or lost, holds nothing up for longer."""


def batched_reads(read: Callable[[list[Any]], Awaitable[list[T]]]) -> Batcher[Any, T]:
    """Return a batcher of point reads."""
    return Batcher(read, max_items=DYNAMODB_BATCH_GET_ITEMS, parallel=PARALLEL_BATCHES, patience_s=PATIENCE_S)


def batched_writes(table: Table) -> Batcher[Item, None]:
    """Return a batcher of puts into a table."""

    async def write(items: list[Item]) -> list[None]:
        # A batch must not name a key twice; the last one wins, as if they had been written one by one.
        distinct = {(item["pk"]["S"], item.get("sk", {}).get("S")): item for item in items}
        await table.put_batch(list(distinct.values()))
        return [None] * len(items)

    return Batcher(
        write,
        max_items=DYNAMODB_BATCH_WRITE_ITEMS,
        max_bytes=BATCH_WRITE_BYTES,
        size_of=item_bytes,
        parallel=PARALLEL_BATCHES,
        patience_s=PATIENCE_S,
    )
