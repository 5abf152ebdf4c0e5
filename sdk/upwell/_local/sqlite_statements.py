"""What the SQLite store reads and writes: one function per statement, on a connection."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from upwell._core.holds import Hold
from upwell._core.journal import Entry, JournalItem, sort_key
from upwell._core.model import TERMINAL, ActionKey, ActionRecord, RunRecord, Status
from upwell._core.ports import RunView
from upwell._core.wire import (
    dump_entry,
    dump_hold,
    dump_record,
    dump_run,
    load_entry,
    load_hold,
    load_record,
    load_run,
)

T = TypeVar("T")
Statement = Callable[[sqlite3.Connection], T]
"""Runs on the connection that it is given. What it writes was encoded before."""


def save_action(record: ActionRecord, expected: int | None) -> Statement[bool]:
    """Write an action record under its condition, and mark the action as changed; see `sqlite_sums`."""
    spec = record.spec
    hits = json.dumps(record.hits) if record.hits else None
    values = (record.version, record.status.value, spec.task.name, dump_record(record), hits)
    key = (spec.run.run_id, spec.action_id)
    if expected is None:
        return lambda c: _insert_action(c, key, values)
    return lambda c: _update_action(c, key, values, expected)


def _insert_action(connection: sqlite3.Connection, key: tuple[str, str], values: tuple[Any, ...]) -> bool:
    insert = (
        "INSERT INTO actions (run_id, action_id, version, status, task, record, hits) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
    )
    is_new = connection.execute(insert, key + values).rowcount == 1
    if is_new:
        connection.execute("INSERT INTO changes VALUES (?, ?, ?, NULL)", (*key, values[0]))
    return is_new


def _update_action(
    connection: sqlite3.Connection, key: tuple[str, str], values: tuple[Any, ...], expected: int
) -> bool:
    change = (
        "INSERT INTO changes SELECT run_id, action_id, ?4, record FROM actions "
        "WHERE run_id = ?1 AND action_id = ?2 AND version = ?3 "
        "ON CONFLICT DO UPDATE SET version = excluded.version"
    )
    update = (
        "UPDATE actions SET version = ?, status = ?, task = ?, record = ?, hits = ? "
        "WHERE run_id = ? AND action_id = ? AND version = ?"
    )
    connection.execute(change, (*key, expected, values[0]))
    return connection.execute(update, (*values, *key, expected)).rowcount == 1


def save_run(run: RunRecord, expected: int | None) -> Statement[bool]:
    """Write a run record under its condition."""
    look_at = None if run.status is Status.SUCCEEDED else run.look_at
    text = dump_run(replace(run, look_at=None, looked_at=0.0))
    values = (run.version, run.spec.created_at, run.status.value, text, look_at, run.looked_at)
    run_id = run.spec.run_id
    if expected is None:
        insert = "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        return lambda c: c.execute(insert, (run_id, *values)).rowcount == 1
    update = (
        "UPDATE runs SET version = ?, created_at = ?, status = ?, record = ?, look_at = ?, looked_at = ? "
        "WHERE run_id = ? AND version = ?"
    )
    return lambda c: c.execute(update, (*values, run_id, expected)).rowcount == 1


def plan_look(run_id: str, planned: float | None, look_at: float | None, looked_at: float) -> Statement[bool]:
    """Write when a run is looked at next, unless another look is planned than was read."""
    update = "UPDATE runs SET look_at = ?, looked_at = ? WHERE run_id = ? AND look_at = ?"
    return lambda c: c.execute(update, (look_at, looked_at, run_id, planned)).rowcount == 1


def append_entries(parent: ActionKey, shard: int, entries: Sequence[Entry]) -> Statement[None]:
    """Add entries to a shard of a journal."""
    rows = [(parent.run_id, parent.action_id, shard, sort_key(entry), dump_entry(entry)) for entry in entries]

    def run(connection: sqlite3.Connection) -> None:
        connection.executemany("INSERT OR REPLACE INTO journal VALUES (?, ?, ?, ?, ?)", rows)

    return run


def take_hold(hold: Hold, replaces: Hold | None) -> Statement[bool]:
    """Write a hold under its condition."""
    row = (hold.scope, hold.place, hold.lease_id, hold.expires_at, dump_hold(hold))
    seen = (None, None) if replaces is None else (replaces.lease_id, replaces.expires_at)
    upsert = (
        "INSERT INTO holds VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "lease_id = excluded.lease_id, expires_at = excluded.expires_at, hold = excluded.hold "
        "WHERE lease_id = excluded.lease_id OR (lease_id = ? AND expires_at = ?)"
    )
    return lambda c: c.execute(upsert, row + seen).rowcount == 1


def renew_hold(hold: Hold) -> Statement[bool]:
    """Write a hold anew if its lease is there."""
    update = "UPDATE holds SET expires_at = ?, hold = ? WHERE scope = ? AND place = ? AND lease_id = ?"
    values = (hold.expires_at, dump_hold(hold), hold.scope, hold.place, hold.lease_id)
    return lambda c: c.execute(update, values).rowcount == 1


def release_hold(hold: Hold) -> Statement[None]:
    """Delete a hold if its lease is there."""
    delete = "DELETE FROM holds WHERE scope = ? AND place = ? AND lease_id = ?"

    def run(connection: sqlite3.Connection) -> None:
        connection.execute(delete, (hold.scope, hold.place, hold.lease_id))

    return run


def list_holds(connection: sqlite3.Connection, scope: str | None) -> list[Hold]:
    """Read the holds of a scope, or all."""
    query = "SELECT hold FROM holds WHERE ?1 IS NULL OR scope = ?1 ORDER BY scope, place"
    return [load_hold(text) for (text,) in connection.execute(query, (scope,))]


def get_action(connection: sqlite3.Connection, key: ActionKey) -> ActionRecord | None:
    """Read one action record."""
    query = "SELECT record FROM actions WHERE run_id = ? AND action_id = ?"
    row = connection.execute(query, (key.run_id, key.action_id)).fetchone()
    return None if row is None else load_record(row[0])


def get_actions(connection: sqlite3.Connection, keys: Sequence[ActionKey]) -> dict[ActionKey, ActionRecord]:
    """Read those of the action records that exist."""
    by_run: dict[str, list[str]] = {}
    for key in keys:
        by_run.setdefault(key.run_id, []).append(key.action_id)
    query = "SELECT record FROM actions WHERE run_id = ? AND action_id IN (SELECT value FROM json_each(?))"
    found = {}
    for run_id, action_ids in by_run.items():
        for (text,) in connection.execute(query, (run_id, json.dumps(action_ids))):
            record = load_record(text)
            found[record.key] = record
    return found


def list_actions(connection: sqlite3.Connection, run_id: str, after: str, limit: int) -> list[ActionRecord]:
    """Read a page of a run's action records: those with ids above `after`."""
    query = "SELECT record FROM actions WHERE run_id = ? AND action_id > ? ORDER BY action_id LIMIT ?"
    return [load_record(text) for (text,) in connection.execute(query, (run_id, after, limit))]


def list_open(connection: sqlite3.Connection, run_id: str) -> list[ActionRecord]:
    """Read the records of a run that have not ended."""
    query = "SELECT record FROM actions WHERE run_id = ? AND status NOT IN (SELECT value FROM json_each(?))"
    ended = json.dumps(sorted(TERMINAL))
    return [load_record(text) for (text,) in connection.execute(query, (run_id, ended))]


def read_journal(
    connection: sqlite3.Connection, parent: ActionKey, shard: int, after: str
) -> list[JournalItem]:
    """Read the entries of a shard above a sort key."""
    query = (
        "SELECT sk, entry FROM journal WHERE run_id = ? AND parent_id = ? AND shard = ? AND sk > ? ORDER BY sk"
    )
    rows = connection.execute(query, (parent.run_id, parent.action_id, shard, after))
    return [JournalItem(sk, load_entry(text)) for sk, text in rows]


def get_run(connection: sqlite3.Connection, run_id: str) -> RunRecord | None:
    """Read a run record."""
    query = "SELECT record, look_at, looked_at FROM runs WHERE run_id = ?"
    row = connection.execute(query, (run_id,)).fetchone()
    return None if row is None else _run(row)


def list_runs(
    connection: sqlite3.Connection, limit: int, before: float, statuses: Sequence[str]
) -> list[RunRecord]:
    """Read the newest run records created before an instant, of some statuses or all, newest first."""
    columns, order = "record, look_at, looked_at", "ORDER BY created_at DESC LIMIT ?"
    if not statuses:
        query = f"SELECT {columns} FROM runs WHERE created_at < ? {order}"
        return [_run(row) for row in connection.execute(query, (before, limit))]
    query = f"SELECT {columns} FROM runs WHERE status = ? AND created_at < ? {order}"
    rows = [row for status in statuses for row in connection.execute(query, (status, before, limit))]
    return sorted(map(_run, rows), key=lambda run: -run.spec.created_at)[:limit]


def due_runs(connection: sqlite3.Connection, now: float, limit: int) -> list[str]:
    """Read the names of the runs that are to be looked at, the longest overdue first."""
    query = "SELECT run_id FROM runs WHERE look_at <= ? ORDER BY look_at LIMIT ?"
    return [run_id for (run_id,) in connection.execute(query, (now, limit))]


def _run(row: tuple[str, float | None, float]) -> RunRecord:
    text, look_at, looked_at = row
    return replace(load_run(text), look_at=look_at, looked_at=looked_at)


def count_actions(connection: sqlite3.Connection, run_id: str) -> RunView:
    """Count a run's actions by task and status; where all of them were folded, that is known."""
    folded = (
        "SELECT json_extract(sums, '$.counts') FROM sums WHERE run_id = ?1 "
        "AND NOT EXISTS (SELECT 1 FROM changes WHERE run_id = ?1)"
    )
    if row := connection.execute(folded, (run_id,)).fetchone():
        return RunView(json.loads(row[0]))
    query = "SELECT task, status, COUNT(*) FROM actions WHERE run_id = ? GROUP BY task, status"
    counts: dict[str, dict[str, int]] = {}
    for task, status, count in connection.execute(query, (run_id,)):
        counts.setdefault(task, {})[status] = count
    hits = (
        "SELECT h.key, SUM(h.value) FROM actions AS a, json_each(a.hits) AS h "
        "WHERE a.run_id = ? AND a.hits IS NOT NULL GROUP BY h.key"
    )
    for task, count in connection.execute(hits, (run_id,)):
        by_status = counts.setdefault(task, {})
        by_status[Status.SUCCEEDED.value] = by_status.get(Status.SUCCEEDED.value, 0) + count
    return RunView(counts)
