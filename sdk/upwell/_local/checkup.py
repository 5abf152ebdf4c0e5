"""Looks at the state folder of local runs: for `upwell doctor`."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from upwell._core.checkup import Finding, fail, judge_store, ok

HEALTHY = "ok"
"""What SQLite says of a file that is."""


def examine_state(folder: Path) -> Finding:
    """Look at a state folder, without writing to it."""
    check = "local state"
    if not folder.exists():
        return ok(check, f"{folder}: not there yet; the first run makes it")
    if not os.access(folder, os.W_OK):
        return fail(
            check, f"{folder} cannot be written", "change its owner or rights, or choose another --state-dir"
        )
    file = folder / "state.db"
    runs, problems = _database(file) if file.exists() else (0, [])
    size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return judge_store(problems, runs, size_bytes, shutil.disk_usage(folder).free)


def _database(file: Path) -> tuple[int, list[str]]:
    """Return how many runs a database has, and what is wrong with it."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as db:
            said = [str(row[0]) for row in db.execute("PRAGMA quick_check(3)")]
            (runs,) = db.execute("SELECT count(*) FROM runs").fetchone()
    except sqlite3.DatabaseError as e:
        return 0, [str(e)]
    return int(runs), [text for text in said if text != HEALTHY]
