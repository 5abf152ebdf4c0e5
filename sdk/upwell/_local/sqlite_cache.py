"""What the SQLite store reads and writes of the cache: one function per statement, on a connection."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from upwell._core.cache_key import kept_for_s
from upwell._core.model import CacheEntry, CacheSummary
from upwell._core.wire import dump_cache_entry, load_cache_entry
from upwell._local.sqlite_statements import Statement

EXPIRED_AT_ONCE = 1000
"""Entries that one write deletes for their age."""


def put_cached(entries: Sequence[CacheEntry]) -> Statement[None]:
    """Keep cache entries, and delete some that are too old for anybody."""
    rows = [
        (entry.key, dump_cache_entry(entry), entry.task, entry.created_at, _expires_at(entry))
        for entry in entries
    ]
    now = max(entry.created_at for entry in entries)
    expired = "SELECT key FROM cache WHERE expires_at < ? LIMIT ?"

    def run(connection: sqlite3.Connection) -> None:
        connection.executemany("INSERT OR REPLACE INTO cache VALUES (?, ?, ?, ?, ?)", rows)
        connection.execute(f"DELETE FROM cache WHERE key IN ({expired})", (now, EXPIRED_AT_ONCE))

    return run


def drop_cached(keys: Sequence[str]) -> Statement[None]:
    """Delete cache entries."""
    names = json.dumps(list(keys))

    def run(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM cache WHERE key IN (SELECT value FROM json_each(?))", (names,))

    return run


def get_cached(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, CacheEntry]:
    """Read those of the cache entries that exist."""
    query = "SELECT key, entry FROM cache WHERE key IN (SELECT value FROM json_each(?))"
    rows = connection.execute(query, (json.dumps(list(keys)),))
    return {key: load_cache_entry(text) for key, text in rows}


def list_cached(
    connection: sqlite3.Connection, task: str | None, before: tuple[float, str], limit: int
) -> list[CacheSummary]:
    """Read a page of the cache, newest first: what comes after an entry, given by time and key."""
    of_task = "" if task is None else "task = ? AND "
    query = (
        f"SELECT entry FROM cache WHERE {of_task}(created_at, key) < (?, ?) "
        "ORDER BY created_at DESC, key DESC LIMIT ?"
    )
    given = [] if task is None else [task]
    return [load_cache_entry(text).summary for (text,) in connection.execute(query, (*given, *before, limit))]


def _expires_at(entry: CacheEntry) -> float | None:
    kept_s = kept_for_s(entry.max_age_s, None)
    return None if kept_s is None else entry.created_at + kept_s
