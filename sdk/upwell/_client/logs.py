"""Reads what the attempts of a run printed and logged."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

from upwell._client.backend import Backend
from upwell._core.keys import DEFAULT_POOL, pool_name
from upwell._core.log_lines import LogLine, LogQuery
from upwell._core.model import ATTEMPTS_KEPT, ActionKey, ActionRecord, RunRecord
from upwell._core.ports import Logs, StateStore
from upwell.errors import RunNotFoundError

PAGE_LINES = 1000
FOLLOW_S = 0.5
"""Between two looks for new lines."""
SETTLES_S = {"local": 0.0, "sandbox": 0.5, "aws": 5.0}
"""So long after the end of a run its last lines may come: CloudWatch takes some seconds to show them."""
SEEN_MAX = 20_000
"""Lines that are remembered, so as not to be shown again."""


async def log_query(
    store: StateStore,
    run: RunRecord,
    action_id: str | None = None,
    *,
    attempt: int | None = None,
    text: str = "",
) -> LogQuery:
    """Return what to look for, and where: the record of an action says who ran it and when.

    Args:
        store: Has the run.
        run: The run.
        action_id: One of its actions, or an item of one; None takes all.
        attempt: One attempt; None takes all.
        text: Only lines with this in them.
    """
    query = LogQuery(
        run_id=run.spec.run_id,
        action_id=action_id,
        attempt=attempt,
        text=text,
        since=run.spec.created_at,
        until=run.ended_at,
    )
    record = None
    if action_id is not None:
        record = await store.get(ActionKey(run.spec.run_id, action_id))
    if record is not None:
        return _of_action(query, record)
    return replace(query, pools=await _pools(store, run))


async def _pools(store: StateStore, run: RunRecord) -> tuple[str, ...]:
    """Return the pools that the actions of a run may have been in, by what was run so far."""
    view = await store.view(run.spec.run_id)
    own = {pool_name(task.partition(".")[0]) for task in view.counts}
    return tuple(sorted({DEFAULT_POOL, run.root.task.pool, *run.pools, *own}))


def _of_action(query: LogQuery, record: ActionRecord) -> LogQuery:
    """Narrow a query to where and when an action was run."""
    attempts = [a for a in record.attempts if query.attempt in (None, a.number)]
    pools = (record.spec.task.pool,)
    query = replace(query, is_action=True, pools=pools, since=record.created_at)
    if not attempts:
        return query
    ends = [a.ended_at for a in attempts]
    is_over = record.status.is_terminal or query.attempt not in (None, record.attempt)
    known = len(record.attempts) < ATTEMPTS_KEPT  # it keeps the latest alone
    return replace(
        query,
        executors=tuple((a.executor.kind, a.executor.id) for a in attempts) if known else (),
        until=max(end for end in ends if end is not None) if is_over and None not in ends else query.until,
    )


async def read_lines(logs: Logs, query: LogQuery) -> AsyncIterator[LogLine]:
    """Yield the lines that there are."""
    cursor: str | None = None
    while True:
        page = await logs.read(query, cursor=cursor, limit=PAGE_LINES)
        for line in page.lines:
            yield line
        if page.is_last:
            return
        cursor = page.cursor


async def follow_lines(
    backend: Backend,
    run_id: str,
    action_id: str | None = None,
    *,
    attempt: int | None = None,
    text: str = "",
) -> AsyncIterator[LogLine]:
    """Yield lines as they come, until the run has ended, or the action that they are of.

    Raises:
        RunNotFoundError: there is no such run.
    """
    seen: deque[str] = deque(maxlen=SEEN_MAX)
    known: set[str] = set()
    cursor: str | None = None
    while True:
        run = await backend.store.get_run(run_id)
        if run is None:
            raise RunNotFoundError(f"there is no run {run_id!r}; `upwell get runs` lists them")
        is_over = await _is_over(backend, run, action_id)
        if is_over:
            await asyncio.sleep(SETTLES_S[backend.mode])
        query = replace(await log_query(backend.store, run, action_id, attempt=attempt, text=text), until=None)
        while True:
            page = await backend.logs.read(query, cursor=cursor, limit=PAGE_LINES)
            cursor = page.cursor
            for line in page.lines:
                if line.place in known:
                    continue
                if len(seen) == SEEN_MAX:
                    known.discard(seen[0])
                seen.append(line.place)
                known.add(line.place)
                yield line
            if page.is_last:
                break
        if is_over:
            return
        await asyncio.sleep(FOLLOW_S)


async def _is_over(backend: Backend, run: RunRecord, action_id: str | None) -> bool:
    if run.status.is_terminal or not await backend.is_alive(run):
        return True
    if action_id is None:
        return False
    record = await backend.store.get(ActionKey(run.spec.run_id, action_id))
    return record is not None and record.status.is_terminal


def line_text(line: LogLine) -> str:
    """Return what a line says; of a message of a logger, its level and the logger first."""
    return f"{line.level} {line.logger}: {line.text}" if line.level else line.text


def line_time(line: LogLine) -> str:
    """Return when a line was written, to the millisecond; UTC."""
    return datetime.fromtimestamp(line.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
