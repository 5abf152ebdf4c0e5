"""Opening the SQLite file: journal mode, schema and its version."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from upwell.errors import UsageError

PAGE_BYTES = 4096
"""Holds most records without overflow pages. A commit writes to the log each page that it touches."""
LOG_PAGES = 2048
"""Pages of the log that one checkpoint takes over; it syncs to the disk, while the loop waits."""
OPEN_TIMEOUT_S = 10.0
"""How long to wait for another process that is creating the same file."""

SCHEMA = """
CREATE TABLE actions (
    run_id TEXT NOT NULL, action_id TEXT NOT NULL, version INTEGER NOT NULL,
    status TEXT NOT NULL, task TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (run_id, action_id)
);
CREATE INDEX actions_by_status ON actions (run_id, task, status);
CREATE TABLE journal (
    run_id TEXT NOT NULL, parent_id TEXT NOT NULL, shard INTEGER NOT NULL, sk TEXT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (run_id, parent_id, shard, sk)
) WITHOUT ROWID;
CREATE TABLE cache (key TEXT NOT NULL PRIMARY KEY, entry TEXT NOT NULL);
CREATE TABLE runs (
    run_id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, created_at REAL NOT NULL,
    status TEXT NOT NULL, record TEXT NOT NULL
);
CREATE INDEX runs_by_time ON runs (created_at);
"""
HOLDS = """
CREATE TABLE holds (
    scope TEXT NOT NULL, place INTEGER NOT NULL, lease_id TEXT NOT NULL, expires_at REAL NOT NULL,
    hold TEXT NOT NULL,
    PRIMARY KEY (scope, place)
) WITHOUT ROWID;
"""
LOOKS = """
ALTER TABLE runs ADD COLUMN look_at REAL;
ALTER TABLE runs ADD COLUMN looked_at REAL NOT NULL DEFAULT 0;
CREATE INDEX runs_by_look ON runs (look_at) WHERE look_at IS NOT NULL;
"""
CACHED = """
ALTER TABLE cache ADD COLUMN task TEXT NOT NULL DEFAULT '';
ALTER TABLE cache ADD COLUMN created_at REAL NOT NULL DEFAULT 0;
ALTER TABLE cache ADD COLUMN expires_at REAL;
UPDATE cache SET created_at = json_extract(entry, '$.created_at');
CREATE INDEX cache_by_task ON cache (task, created_at);
CREATE INDEX cache_by_expiry ON cache (expires_at) WHERE expires_at IS NOT NULL;
ALTER TABLE actions ADD COLUMN hits TEXT;
CREATE INDEX actions_with_hits ON actions (run_id) WHERE hits IS NOT NULL;
"""
SUMS = """
ALTER TABLE actions ADD COLUMN facts TEXT;
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, before TEXT, after TEXT NOT NULL
);
CREATE INDEX changes_by_run ON changes (run_id, seq);
CREATE INDEX actions_without_facts ON actions (run_id) WHERE facts IS NULL;
CREATE TABLE sums (run_id TEXT NOT NULL PRIMARY KEY, seq INTEGER NOT NULL, sums TEXT NOT NULL);
"""
CHANGES_IN_ONE_TREE = """
CREATE TABLE changes_of_runs (
    run_id TEXT NOT NULL, seq INTEGER NOT NULL, before TEXT, after TEXT NOT NULL,
    PRIMARY KEY (run_id, seq)
) WITHOUT ROWID;
INSERT INTO changes_of_runs SELECT run_id, seq, before, after FROM changes;
DROP TABLE changes;
ALTER TABLE changes_of_runs RENAME TO changes;
"""
RUNS_BY_STATUS = "CREATE INDEX runs_by_status ON runs (status, created_at)"
CHANGED_ACTIONS = """
DROP TABLE changes;
DELETE FROM sums;
CREATE TABLE actions_alone (
    run_id TEXT NOT NULL, action_id TEXT NOT NULL, version INTEGER NOT NULL,
    status TEXT NOT NULL, task TEXT NOT NULL, record TEXT NOT NULL, hits TEXT,
    PRIMARY KEY (run_id, action_id)
);
INSERT INTO actions_alone
SELECT run_id, action_id, version, status, task, record, hits FROM actions ORDER BY rowid;
DROP TABLE actions;
ALTER TABLE actions_alone RENAME TO actions;
CREATE INDEX actions_by_status ON actions (run_id, task, status);
CREATE INDEX actions_with_hits ON actions (run_id) WHERE hits IS NOT NULL;
CREATE TABLE changes (
    run_id TEXT NOT NULL, action_id TEXT NOT NULL, version INTEGER NOT NULL, before TEXT,
    PRIMARY KEY (run_id, action_id)
) WITHOUT ROWID;
INSERT INTO changes SELECT run_id, action_id, version, NULL FROM actions
"""
STEPS = (SCHEMA, HOLDS, LOOKS, CACHED, SUMS, CHANGES_IN_ONE_TREE, RUNS_BY_STATUS, CHANGED_ACTIONS)
"""What makes a file of version n one of version n + 1; kept in the file as `user_version`."""
SCHEMA_VERSION = len(STEPS)


def open_database(path: Path) -> sqlite3.Connection:
    """Return a connection; create the file and its tables when they are missing, which others may do meanwhile.

    Raises:
        UsageError: the file cannot be used: no permission, not a database, or made by a newer upwell.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = connect(path, busy_timeout_s=OPEN_TIMEOUT_S)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except (OSError, sqlite3.DatabaseError) as e:
        raise UsageError(
            f"{path} cannot be used as upwell's store: {e}; move it away, or use another folder"
        ) from e
    return connection


def connect(path: Path, *, busy_timeout_s: float) -> sqlite3.Connection:
    """Return a connection in autocommit mode that any one thread at a time may use.

    Args:
        path: The file.
        busy_timeout_s: How long a statement waits for another connection's write.
    """
    # The first statement reads the file, and always waits: another connection may be removing the log.
    connection = sqlite3.connect(path, timeout=OPEN_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    # Commits are written to the log but not synced: they survive kill -9, and a power cut costs the last of
    # them without harming the file.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
    set_patience(connection, busy_timeout_s)
    return connection


def set_patience(connection: sqlite3.Connection, busy_timeout_s: float) -> None:
    """Set how long a statement waits for another connection's write."""
    connection.execute(f"PRAGMA busy_timeout = {int(busy_timeout_s * 1000)}")


def open_to_close_last(path: Path) -> sqlite3.Connection:
    """Return a connection that leaves the log as it is when it is closed as the last one.

    Any other would take the log over into the file, and sync both to the disk, at the end of each program. One
    that cannot write doesn't: whoever writes later does so, once the log is full.
    """
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=OPEN_TIMEOUT_S)
    connection.execute("PRAGMA user_version")  # before that the file is not open
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    _enter_wal_mode(connection)
    if _schema_version(connection, path) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    for step in STEPS[_schema_version(connection, path) :]:  # none where another process was faster
        for statement in step.split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _enter_wal_mode(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for the lock that this change of mode needs: it fails at once.
    give_up_at = time.monotonic() + OPEN_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as e:
            if not is_busy(e) or time.monotonic() > give_up_at:
                raise
            time.sleep(0.005)
        else:
            return


def _schema_version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise UsageError(
            f"{path} has schema version {version}, made by a newer upwell; this one reads up to "
            f"{SCHEMA_VERSION}: upgrade upwell, or move the file away"
        )
    return version


def is_busy(error: sqlite3.Error) -> bool:
    """Whether a statement failed because another connection is writing."""
    return (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_BUSY
