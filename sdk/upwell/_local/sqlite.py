"""The state store of the `local` backend: one SQLite file, which survives the process.

Measured on 2 shared cores, a committed write of 900 bytes takes about 55 µs in place and 150-280 µs in a
thread of its own; a record is read and decoded in 50-70 µs, less than such a hop. So writes and point reads
run on the event loop's thread; what may take long (a scan, a write while another process holds the lock) runs
in another. Each of the three kinds has its own connection.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from upwell._core.aggregates import Aggregates
from upwell._core.holds import Hold
from upwell._core.journal import Entry, JournalItem
from upwell._core.model import ActionKey, ActionRecord, CacheEntry, CacheSummary, RunRecord, Status
from upwell._core.ports import RunView
from upwell._exec.batcher import Batcher
from upwell._local import sqlite_cache as cache
from upwell._local import sqlite_statements as statements
from upwell._local import sqlite_sums as sums
from upwell._local.connection import connect, is_busy, open_database, open_to_close_last, set_patience
from upwell._local.sqlite_statements import Statement
from upwell.errors import UpwellError

log = logging.getLogger("upwell.local")
T = TypeVar("T")

TRANSACTION_ITEMS = 1000
"""Writes in one transaction; more would hold up the event loop for too long."""
LOCK_TIMEOUT_S = 30.0
"""How long a write waits for another process that writes."""
PAGE_ITEMS = 500
"""Records read at a time when all of a run are listed."""
POINT_READ_KEYS = 50
"""Up to so many keys are read in place."""
SAVES_FOLDED = 2000
"""After so many saves of a run its aggregates take in some of what these changed."""
FOLDING_SHARE = 0.05
"""Of the time: folding takes no more of the processor from a run, and leaves the rest to who reads."""
FIRST_FOLD_S = 2.0
"""After that long: a short run has better things to do."""
READ_FOLDS_S = 0.05
"""For so long who reads aggregates waits for many changes to be folded; the rest is folded after that."""


class SqliteStore:
    """`StateStore` in a file. Several processes may have it open.

    Args:
        path: The file; it and its folder are created when missing.

    Raises:
        UsageError: the file cannot be used, or a newer upwell made it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = open_database(path)
        set_patience(self._writer, 0)
        self._reader = connect(path, busy_timeout_s=LOCK_TIMEOUT_S)
        self._scanner = connect(path, busy_timeout_s=LOCK_TIMEOUT_S)
        self._sums = sums.Sums(path)
        self._last = open_to_close_last(path)
        self._saves: Counter[str] = Counter()
        self._catching_up: Future[None] = Future()
        self._catching_up.set_result(None)
        self._fold_at = time.monotonic() + FIRST_FOLD_S
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="upwell-sqlite")
        self._writes: Batcher[Statement[Any], Any] = Batcher(
            self._commit_patiently, at_once=self._commit, max_items=TRANSACTION_ITEMS
        )

    def close(self) -> None:
        """Close the file. What was awaited is in it; repeating this changes nothing."""
        self._sums.stop()
        self._threads.shutdown()
        for connection in (self._sums, self._scanner, self._reader, self._writer, self._last):
            connection.close()

    # --- actions ----------------------------------------------------------------------------------------------

    async def get(self, key: ActionKey) -> ActionRecord | None:
        """Return a record."""
        return statements.get_action(self._reader, key)

    async def get_many(self, keys: Sequence[ActionKey]) -> dict[ActionKey, ActionRecord]:
        """Return those of the records that exist."""
        if len(keys) <= POINT_READ_KEYS:
            return statements.get_actions(self._reader, keys)
        return await self._scan(statements.get_actions, keys)

    async def save(self, record: ActionRecord, *, expected: int | None) -> bool:
        """Write a record if the stored version is `expected` (None: if there is none)."""
        is_saved = await self._write(statements.save_action(record, expected))
        if is_saved:
            self._count_save(record.spec.run.run_id)
        return is_saved

    def _count_save(self, run_id: str) -> None:
        self._saves[run_id] += 1
        if self._saves[run_id] >= SAVES_FOLDED and time.monotonic() >= self._fold_at:
            del self._saves[run_id]
            self._fold_at = math.inf
            self._threads.submit(self._fold, run_id).add_done_callback(_log_failure)

    def _fold(self, run_id: str) -> None:
        began = time.monotonic()
        try:
            self._sums.read(run_id)
        finally:
            now = time.monotonic()
            self._fold_at = now + (now - began) / FOLDING_SHARE

    async def list_actions(self, run_id: str) -> AsyncIterator[ActionRecord]:
        """Yield every record of a run, by action id."""
        after = ""
        while page := await self._scan(statements.list_actions, run_id, after, PAGE_ITEMS):
            for record in page:
                yield record
            after = page[-1].spec.action_id

    async def find_actions(
        self, run_id: str, kinds: Sequence[tuple[str, str]], after: str | None, limit: int
    ) -> tuple[list[ActionRecord], str | None]:
        """Return some of a run's records, by task and status, in the order of their claims."""
        return await self._scan(sums.find_actions, run_id, list(kinds), after, limit)

    async def list_open(self, run_id: str) -> AsyncIterator[ActionRecord]:
        """Yield the records of a run that have not ended."""
        for record in await self._scan(statements.list_open, run_id):
            yield record

    # --- journals ---------------------------------------------------------------------------------------------

    async def append(self, parent: ActionKey, shard: int, entries: Sequence[Entry]) -> None:
        """Add entries; repeating an entry changes nothing."""
        if entries:
            await self._write(statements.append_entries(parent, shard, entries))

    async def read(self, parent: ActionKey, shard: int, after: str = "") -> list[JournalItem]:
        """Return the entries above a sort key, in order."""
        return statements.read_journal(self._reader, parent, shard, after)

    # --- cache ------------------------------------------------------------------------------------------------

    async def get_cached(self, keys: Sequence[str]) -> dict[str, CacheEntry]:
        """Return those of the entries that exist."""
        if len(keys) <= POINT_READ_KEYS:
            return cache.get_cached(self._reader, keys)
        return await self._scan(cache.get_cached, keys)

    async def put_cached(self, entries: Sequence[CacheEntry]) -> None:
        """Keep entries; the last one under a key wins."""
        if entries:
            await self._write(cache.put_cached(entries))

    async def list_cached(
        self, task: str | None = None, *, before: float | None = None, limit: int | None = None
    ) -> AsyncIterator[CacheSummary]:
        """Yield what there is to know of entries, newest first."""
        left = math.inf if limit is None else limit
        start = (math.inf if before is None else before, "")
        while page := await self._scan(cache.list_cached, task, start, int(min(left, PAGE_ITEMS))):
            for summary in page:
                yield summary
            left -= len(page)
            start = (page[-1].created_at, page[-1].key)

    async def drop_cached(self, keys: Sequence[str]) -> None:
        """Delete entries, those that exist."""
        if keys:
            await self._write(cache.drop_cached(keys))

    # --- holds ------------------------------------------------------------------------------------------------

    async def list_holds(self, scope: str | None = None) -> list[Hold]:
        """Return the holds of a scope, or all; expired ones too."""
        return statements.list_holds(self._reader, scope)

    async def take_hold(self, hold: Hold, *, replaces: Hold | None) -> bool:
        """Write a hold if nobody is in its place, or `replaces` is, unchanged, or the same lease."""
        return await self._write(statements.take_hold(hold, replaces))

    async def renew_hold(self, hold: Hold) -> bool:
        """Write a hold anew if its lease is in its place."""
        return await self._write(statements.renew_hold(hold))

    async def release_hold(self, hold: Hold) -> None:
        """Leave a place."""
        await self._write(statements.release_hold(hold))

    # --- runs -------------------------------------------------------------------------------------------------

    async def get_run(self, run_id: str) -> RunRecord | None:
        """Return a run."""
        return statements.get_run(self._reader, run_id)

    async def save_run(self, run: RunRecord, *, expected: int | None) -> bool:
        """Write a run if the stored version is `expected` (None: if there is none)."""
        return await self._write(statements.save_run(run, expected))

    async def list_runs(
        self, limit: int = 100, *, before: float | None = None, statuses: Collection[Status] = ()
    ) -> list[RunRecord]:
        """Return the newest runs, newest first."""
        until = math.inf if before is None else before
        return await self._scan(statements.list_runs, limit, until, [status.value for status in statuses])

    async def view(self, run_id: str) -> RunView:
        """Return how many actions of each task are in each status; never behind."""
        return await self._scan(statements.count_actions, run_id)

    async def aggregates(self, run_id: str) -> Aggregates:
        """Return what is known of a run's actions; behind by what takes longer than `READ_FOLDS_S` to fold."""
        loop = asyncio.get_running_loop()
        found, is_all = await loop.run_in_executor(self._threads, self._sums.read, run_id, READ_FOLDS_S)
        if not is_all and self._catching_up.done():  # of one run at a time: the other thread is for who reads
            self._catching_up = self._threads.submit(self._sums.catch_up, run_id)
            self._catching_up.add_done_callback(_log_failure)
        return found

    async def due_runs(self, now: float, limit: int) -> list[str]:
        """Return the runs whose `look_at` has come, the longest overdue first."""
        return await self._scan(statements.due_runs, now, limit)

    async def plan_look(self, run: RunRecord, look_at: float | None, *, looked_at: float) -> bool:
        """Say when a run is looked at next, unless another look was planned since it was read."""
        return await self._write(statements.plan_look(run.spec.run_id, run.look_at, look_at, looked_at))

    # --- how --------------------------------------------------------------------------------------------------

    async def _write(self, statement: Statement[T]) -> T:
        result: T = await self._writes.submit(statement)
        return result

    def _commit(self, batch: list[Statement[Any]]) -> list[Any] | None:
        """Commit in place; None if another process is writing."""
        try:
            return _transaction(self._writer, batch)
        except sqlite3.OperationalError as e:
            if is_busy(e):
                return None
            raise

    async def _commit_patiently(self, batch: list[Statement[Any]]) -> list[Any]:
        """Commit in a thread, which waits for other processes."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._wait_and_commit, batch)

    def _wait_and_commit(self, batch: list[Statement[Any]]) -> list[Any]:
        # The batcher has one flush in flight, so nobody else uses the writer meanwhile.
        set_patience(self._writer, LOCK_TIMEOUT_S)
        try:
            return _transaction(self._writer, batch)
        except sqlite3.OperationalError as e:
            if is_busy(e):
                raise UpwellError(
                    f"{self.path} is locked: another process has been writing for {LOCK_TIMEOUT_S:g} s; "
                    "end it, or use another run folder"
                ) from e
            raise
        finally:
            set_patience(self._writer, 0)

    async def _scan(self, read: Callable[..., T], *args: object) -> T:
        scan = partial(read, self._scanner, *args)
        return await asyncio.get_running_loop().run_in_executor(self._threads, scan)


def _log_failure(folding: Future[None]) -> None:
    """Say that changes were not folded: the next reader has more to add up, and would fail likewise."""
    if (error := folding.exception()) is not None:
        log.warning("changes of actions could not be folded", exc_info=error)


def _transaction(connection: sqlite3.Connection, batch: list[Statement[Any]]) -> list[Any]:
    """Run statements all or none; a conditional write that loses is no failure."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = [statement(connection) for statement in batch]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite ends it by itself on some errors
            connection.execute("ROLLBACK")
        raise
    return results
