"""Aggregates of runs in the SQLite file.

A save marks its action as changed, in the same transaction, and keeps what the record was when it was last
folded: the table `changes`. From there it is folded into one row for each run by who reads it, and by the way,
in another thread, for a small share of a run's time. What is counted of an action is worked out here, not where
it is saved: the loop of a run has other things to do.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from upwell._core.aggregate_form import dump_aggregates, load_aggregates
from upwell._core.aggregates import Aggregates, all_facts_of
from upwell._core.model import ActionRecord
from upwell._core.wire import load_record
from upwell._local.connection import connect, is_busy

KEPT = 100
"""Slowest and failed actions of a kind that are known by name."""
WORTH_WRITING = 100
"""Changed actions; a reader adds fewer by itself each time."""
FOLDED_AT_ONCE = 1000
"""Changed actions in one transaction, for which others wait with theirs."""
ROOM_S = 0.1
"""Between two of them, while somebody looks at the run."""
WAIT_S = 2.0
"""For another process that writes: what is not folded now will be later."""

Folded = tuple[str, str, str, int]
"""Record, run, action and version of what was folded."""


@dataclass(slots=True)
class Sum:
    """Aggregates of a run, how often they had been written, and what of them has not been."""

    seq: int
    aggregates: Aggregates
    unwritten: list[Folded]


class Sums:
    """Folds changes of actions and reads what came of them; of any thread.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._connection = connect(path, busy_timeout_s=WAIT_S)
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Have `catch_up` end soon, in whatever thread it is."""
        self._stopping.set()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def read(self, run_id: str, within_s: float = 0.0) -> tuple[Aggregates, bool]:
        """Return the aggregates of a run with what was saved so far, and whether that is all of it.

        Args:
            run_id: Of the run.
            within_s: After so many seconds it takes in no more changes, but `FOLDED_AT_ONCE` in any case.
        """
        until = time.monotonic() + within_s
        while True:
            with self._lock:
                found = self._fold(run_id)
                n = len(found.unwritten)
                is_written = n < WORTH_WRITING or self._write(run_id, found)
            is_all = n < FOLDED_AT_ONCE
            if is_all or not is_written or time.monotonic() >= until:
                return found.aggregates, is_all

    def catch_up(self, run_id: str) -> None:
        """Take in all changes of a run, with room between them for those who ask for something."""
        while not self.read(run_id)[1] and not self._stopping.wait(ROOM_S):
            pass

    def _fold(self, run_id: str) -> Sum:
        """Return what is kept of a run with some of its changes taken in, as of one moment."""
        query = (
            "SELECT c.before, a.record, c.run_id, c.action_id, c.version FROM changes AS c "
            "JOIN actions AS a USING (run_id, action_id) WHERE c.run_id = ? LIMIT ?"
        )
        self._connection.execute("BEGIN")  # another process may fold meanwhile
        try:
            found = self._kept(run_id)
            for before, *folded in self._connection.execute(query, (run_id, FOLDED_AT_ONCE)):
                was = None if before is None else all_facts_of(load_record(before))
                found.aggregates.change(was, all_facts_of(load_record(folded[0])))
                found.unwritten.append(tuple(folded))
        finally:
            self._connection.execute("COMMIT")
        return found

    def _kept(self, run_id: str) -> Sum:
        row = self._connection.execute("SELECT seq, sums FROM sums WHERE run_id = ?", (run_id,)).fetchone()
        if row is None:
            return Sum(0, Aggregates(kept=KEPT), [])
        return Sum(row[0], load_aggregates(row[1], KEPT), [])

    def _write(self, run_id: str, found: Sum) -> bool:
        """Keep what was folded, unless another process was faster, or writes for too long."""
        upsert = (
            "INSERT INTO sums VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
            "SET seq = excluded.seq, sums = excluded.sums WHERE seq = ?"
        )
        values = (run_id, found.seq + 1, dump_aggregates(found.aggregates), found.seq)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                is_written = self._connection.execute(upsert, values).rowcount == 1
                if is_written:
                    self._forget(found.unwritten)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as e:
            if not is_busy(e):
                raise
            return False
        return is_written

    def _forget(self, folded: list[Folded]) -> None:
        """Unmark what was folded; an action that has changed since is told from what was folded of it."""
        this = "WHERE run_id = ? AND action_id = ? AND version"
        gone = self._connection.executemany(f"DELETE FROM changes {this} = ?", [one[1:] for one in folded])
        if gone.rowcount < len(folded):
            self._connection.executemany(f"UPDATE changes SET before = ? {this} > ?", folded)


def find_actions(
    connection: sqlite3.Connection, run_id: str, kinds: list[tuple[str, str]], after: str | None, limit: int
) -> tuple[list[ActionRecord], str | None]:
    """Read a page of the records of some tasks and statuses, kind by kind, in the order of their claims.

    Args:
        connection: Where to read.
        run_id: Of the run.
        kinds: Tasks and statuses.
        after: Number of a kind, and of the last row there.
        limit: How many at most.
    """
    query = (
        "SELECT rowid, record FROM actions INDEXED BY actions_by_status "
        "WHERE run_id = ? AND task = ? AND status = ? AND rowid > ? ORDER BY rowid LIMIT ?"
    )
    number, row = map(int, (after or "0 0").split())
    found: list[ActionRecord] = []
    for place in range(number, len(kinds)):
        for row_id, text in connection.execute(query, (run_id, *kinds[place], row, limit - len(found))):
            found.append(load_record(text))
            number, row = place, row_id
        if len(found) >= limit:
            return found, f"{number} {row}"
        row = 0
    return found, None
