"""Aggregates of runs in the SQLite file.

A save leaves what it changed in the table `changes`, in the same transaction: the file's own stream. From there
it is folded into one row for each run, in another thread, when there is enough of it; a reader adds the rest.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from upwell._core.aggregate_form import dump_aggregates, load_aggregates, load_facts
from upwell._core.aggregates import Aggregates
from upwell._core.model import ActionRecord
from upwell._core.wire import load_record
from upwell._local.connection import connect, is_busy

KEPT = 100
"""Slowest and failed actions of a kind that are known by name."""
WORTH_WRITING = 100
"""Changes; a reader adds fewer by itself each time."""
WAIT_S = 2.0
"""For another process that writes: what is not folded now will be later."""
WITHOUT_FACTS = "SELECT 1 FROM actions WHERE run_id = ? AND facts IS NULL LIMIT 1"


class Sums:
    """Folds changes of actions and reads what came of them; of any thread.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._connection = connect(path, busy_timeout_s=WAIT_S)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def read(self, run_id: str) -> Aggregates:
        """Return the aggregates of a run, with all that was saved so far; nothing of an older version's."""
        with self._lock:
            self._connection.execute(
                "BEGIN"
            )  # another process may fold meanwhile: all of this is of one moment
            try:
                if self._connection.execute(WITHOUT_FACTS, (run_id,)).fetchone():
                    return Aggregates(kept=KEPT)
                before, found = self._stored(run_id)
                folded, n = self._take_in(run_id, found, before)
            finally:
                self._connection.execute("COMMIT")
            if n >= WORTH_WRITING:
                self._write(run_id, found, before, folded)
            return found

    def _stored(self, run_id: str) -> tuple[int, Aggregates]:
        row = self._connection.execute("SELECT seq, sums FROM sums WHERE run_id = ?", (run_id,)).fetchone()
        return (0, Aggregates(kept=KEPT)) if row is None else (row[0], load_aggregates(row[1], KEPT))

    def _take_in(self, run_id: str, found: Aggregates, folded: int) -> tuple[int, int]:
        """Add changes; return the number of the last one, and how many there were."""
        query = "SELECT seq, before, after FROM changes WHERE run_id = ? AND seq > ? ORDER BY seq"
        n = 0
        for seq, before, after in self._connection.execute(query, (run_id, folded)):
            found.change(None if before is None else load_facts(before), load_facts(after))
            folded, n = seq, n + 1
        return folded, n

    def _write(self, run_id: str, found: Aggregates, before: int, folded: int) -> None:
        """Keep what was folded, unless another process was faster, or writes for too long."""
        upsert = (
            "INSERT INTO sums VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
            "SET seq = excluded.seq, sums = excluded.sums WHERE seq = ?"
        )
        values = (run_id, folded, dump_aggregates(found), before)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                if self._connection.execute(upsert, values).rowcount == 1:
                    self._connection.execute(
                        "DELETE FROM changes WHERE run_id = ? AND seq <= ?", (run_id, folded)
                    )
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as e:
            if not is_busy(e):
                raise


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
