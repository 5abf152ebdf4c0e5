"""From what the store holds to what the API answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter, OrderedDict
from dataclasses import replace
from typing import Any

from upwell._client.backend import Backend
from upwell._client.documents import INTERRUPTED, labels, shown_status
from upwell._client.run_list import RunFilter, find_runs, is_alive
from upwell._console.commands import run_commands
from upwell._console.cursors import CursorError, dump_cursor, load_cursor
from upwell._console.large import LargeRun
from upwell._console.models import Run, RunDetail, RunError, Runs, TaskStats, Tree
from upwell._console.rows import Row, row_of
from upwell._console.snapshot import ANY_LEVEL, Order, RowFilter, Snapshot, Timeline
from upwell._console.snapshots import RUNS_KEPT, Snapshots, unclaimed_root
from upwell._core.limits import SMALL_RUN
from upwell._core.model import ActionKey, ActionRecord, RunRecord, Status
from upwell._core.ports import RunView
from upwell.errors import ActionNotFoundError, RunNotFoundError

KEPT_S = 2.0
"""For so long the requests of a page share what was read of a large run."""
PARENTS_KEPT = 10_000
ENDING_S = 60.0
"""After that long what has not ended with its run is what nobody is left to end."""
OPEN = frozenset(status.value for status in Status if not status.is_terminal)


class Reading:
    """Reads runs of one backend.

    Args:
        backend: Open for as long as this is used.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._store = backend.store
        self._snapshots = Snapshots(backend.store)
        self._large: OrderedDict[str, tuple[str, float, LargeRun]] = OrderedDict()
        self._parents: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def runs(self, wanted: RunFilter, *, cursor: str | None, limit: int) -> Runs:
        """Return a page of runs, newest first.

        Raises:
            CursorError: the cursor is not of this list.
        """
        if cursor is not None:
            (reached,) = load_cursor(cursor, (float,))
            before = reached if wanted.before is None else min(wanted.before, reached)
            wanted = replace(wanted, before=before)
        page = await find_runs(self._backend, wanted, limit)
        views = await asyncio.gather(*(self._store.view(found.run.spec.run_id) for found in page.runs))
        return Runs(
            runs=[
                Run(**_run_fields(found.run, view, found.alive))
                for found, view in zip(page.runs, views, strict=True)
            ],
            next=None if page.next_before is None else dump_cursor(page.next_before),
        )

    async def run(self, run_id: str) -> RunDetail:
        """Return a run.

        Raises:
            RunNotFoundError: there is none of this name.
        """
        run, view = await self._run_and_view(run_id)
        large = await self._large_of(run, view)
        settled = (large is None or large.shows(view.counts)) and not _goes_on_ending(run, view)
        fields = _run_fields(run, view, await is_alive(run, self._backend))
        return RunDetail(
            **fields | {"version": f"{fields['version']}{'' if settled else '-'}"},
            root=run.root.action_id,
            generation=run.spec.generation,
            bundle=run.spec.bundle,
            settled=settled,
            url=self._backend.describe(run),
            tasks=[_task_stats(task, counts) for task, counts in sorted(view.counts.items())],
            commands=run_commands(run, self._backend.mode),
        )

    async def tree(
        self,
        run_id: str,
        *,
        parent: str,
        order: Order,
        limit: int,
        cursor: str | None,
        offset: int,
        wanted: RowFilter,
    ) -> Tree:
        """Return a page of one level of a run's tree; see `Snapshot.children`.

        Raises:
            RunNotFoundError: there is no such run.
            ActionNotFoundError: the run has no action `parent`.
            CursorError: the cursor is not of this list.
        """
        if not parent:
            row = await self._root_row(run_id)
            if cursor is not None:
                raise CursorError(cursor)
            rows = [row] if wanted.has(row) and not offset else []
            return Tree(rows=rows, next=None, total=len(rows), summaries=[])
        large = await self.large(run_id)
        if large is not None:
            caller = None if parent == ANY_LEVEL else await self._caller(run_id, parent)
            tree = await large.tree(
                caller, order=order, limit=limit, cursor=cursor, offset=offset, wanted=wanted
            )
            self._remember(run_id, tree.rows)
            return tree
        snapshot = await self.snapshot(run_id)
        if parent != ANY_LEVEL and parent not in snapshot.rows:
            raise no_action(run_id, parent)
        page = snapshot.children(parent, order=order, limit=limit, cursor=cursor, offset=offset, wanted=wanted)
        is_first = cursor is None and offset == 0
        summaries = snapshot.summaries(parent) if is_first else []
        return Tree(rows=page.rows, next=page.next, total=page.total, summaries=summaries)

    async def _root_row(self, run_id: str) -> Row:
        """Return the root's row without reading the other actions: how many it called is not known."""
        run = await self.record(run_id)
        record = await self._store.get(ActionKey(run_id, run.root.action_id))
        return row_of(unclaimed_root(run) if record is None else record)

    async def timeline(self, run_id: str, *, buckets: int) -> Timeline:
        """Return how much of a run was under way when.

        Raises:
            RunNotFoundError: there is no such run.
        """
        large = await self.large(run_id)
        if large is not None:
            return large.timeline(buckets)
        return await asyncio.to_thread((await self.snapshot(run_id)).timeline, buckets)

    async def large(self, run_id: str) -> LargeRun | None:
        """Return a run that is not to be read as a whole; None if it is small, or nothing was folded of it.

        Raises:
            RunNotFoundError: there is no such run.
        """
        return await self._large_of(*await self._run_and_view(run_id))

    async def _large_of(self, run: RunRecord, view: RunView) -> LargeRun | None:
        run_id = run.spec.run_id
        if _actions(view) <= SMALL_RUN:
            return None
        version, now = _version(run, view), time.monotonic()
        kept_version, until, kept = self._large.pop(run_id, ("", 0.0, None))
        if kept is None or kept_version != version or until < now:
            aggregates = await self._store.aggregates(run_id)
            kept, until = LargeRun(self._store, run, aggregates), now + KEPT_S
            if not aggregates.kinds:
                return None
        self._large[run_id] = (version, until, kept)
        while len(self._large) > RUNS_KEPT:
            self._large.popitem(last=False)
        return kept

    def parent_of(self, run_id: str, action_id: str) -> str | None:
        """Return the parent of an action that has no record, if it was in a list of late."""
        return self._parents.get((run_id, action_id))

    def _remember(self, run_id: str, rows: list[Row]) -> None:
        for row in rows:
            if row.parent_id is not None and not row.attempts:
                self._parents[run_id, row.action_id] = row.parent_id
        while len(self._parents) > PARENTS_KEPT:
            self._parents.popitem(last=False)

    async def _caller(self, run_id: str, action_id: str) -> ActionRecord:
        """Return the record of an action whose calls are asked for: one that nobody has begun made none."""
        record = await self._store.get(ActionKey(run_id, action_id))
        if record is not None:
            return record
        run = await self.record(run_id)
        if action_id == run.root.action_id:
            return unclaimed_root(run)
        if self.parent_of(run_id, action_id) is None:
            raise no_action(run_id, action_id)
        return replace(unclaimed_root(run), spec=replace(run.root, action_id=action_id))

    async def snapshot(self, run_id: str) -> Snapshot:
        """Return the actions of a run.

        Raises:
            RunNotFoundError: there is no such run.
        """
        run, view = await self._run_and_view(run_id)
        return await self._snapshots.of(run, _version(run, view))

    async def record(self, run_id: str) -> RunRecord:
        """Return the record of a run.

        Raises:
            RunNotFoundError: there is none of this name.
        """
        run = await self._store.get_run(run_id)
        if run is None:
            raise RunNotFoundError(f"there is no run {run_id!r}; the list of runs has all that are known")
        return run

    async def _run_and_view(self, run_id: str) -> tuple[RunRecord, RunView]:
        return await self.record(run_id), await self._store.view(run_id)


def no_action(run_id: str, action_id: str) -> ActionNotFoundError:
    """Return the error that a run has no such action."""
    return ActionNotFoundError(f"run {run_id} has no action {action_id!r}; its tree lists them")


def _run_fields(run: RunRecord, view: RunView, alive: bool) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    for by_status in view.counts.values():
        counts.update({status.lower(): n for status, n in by_status.items() if n})
    error = run.outcome.error if run.outcome is not None else None
    return {
        "run_id": run.spec.run_id,
        "task": run.task,
        "status": run.status.value.lower(),
        "alive": alive,
        "created_at": run.spec.created_at,
        "began_at": run.began_at,
        "ended_at": run.ended_at,
        "duration_s": run.duration_s(time.time() if alive else None),
        "labels": labels(run),
        "counts": dict(counts),
        "actions": counts.total(),
        "error": None if error is None else RunError(code=error.code, message=error.message),
        "version": _version(run, view) + ("~" if shown_status(run, alive) == INTERRUPTED else ""),
    }


def _actions(view: RunView) -> int:
    return sum(n for by_status in view.counts.values() for n in by_status.values())


def _goes_on_ending(run: RunRecord, view: RunView) -> bool:
    """Whether a run has ended a short while ago, and some of its actions have not: they hear of it later."""
    if run.ended_at is None or time.time() > run.ended_at + ENDING_S:
        return False
    return any(n > 0 for counts in view.counts.values() for status, n in counts.items() if status in OPEN)


def _version(run: RunRecord, view: RunView) -> str:
    state = [run.version, run.status.value, run.spec.generation, {k: dict(v) for k, v in view.counts.items()}]
    return hashlib.blake2b(json.dumps(state, sort_keys=True).encode(), digest_size=9).hexdigest()


def _task_stats(task: str, by_status: Any) -> TaskStats:
    counts = {status.lower(): n for status, n in by_status.items() if n}
    return TaskStats(task=task, actions=sum(counts.values()), counts=counts)
