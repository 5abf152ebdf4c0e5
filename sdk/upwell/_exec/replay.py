"""Reads a parent's journal: whole, before a later attempt begins; forward, while it waits."""

from __future__ import annotations

from upwell._core.journal import Cursor, Entry, Journal
from upwell._core.model import ActionKey
from upwell._core.ports import Journals

EMPTY_SHARDS_TO_STOP = 2
"""A shard may be missing entirely when its writer died in between; two in a row are the end."""


async def read_journal(
    store: Journals, key: ActionKey, journal: Journal, cursors: dict[int, Cursor] | None = None
) -> list[Entry]:
    """Read every shard of a journal into `journal`, and return the entries.

    Args:
        store: Where the journal is.
        key: The parent.
        journal: Takes the entries in.
        cursors: Filled with where each shard was read to.
    """
    entries: list[Entry] = []
    shard = empty = 0
    while empty < EMPTY_SHARDS_TO_STOP:
        cursor = Cursor()
        fresh = cursor.take(await store.read(key, shard, cursor.after))
        empty = 0 if fresh else empty + 1
        entries += fresh
        if cursors is not None:
            cursors[shard] = cursor
        shard += 1
    journal.apply(entries)
    return entries
