"""Follows a run: snapshots of its record and counts, at intervals that grow with the time waited."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from upwell._author.context import Mode
from upwell._client.backend import Backend, open_backend
from upwell._client.config import current_config, parse_mode
from upwell._client.run_handle import Run
from upwell._core.model import RunRecord, Status
from upwell._core.ports import RunView
from upwell.errors import RunNotFoundError

INTERVAL_MIN_S, INTERVAL_MAX_S, INTERVAL_PART = 0.2, 2.0, 0.05
STARTS_WITHIN_S = 30.0
"""A state machine writes the run's record; it is not there at once."""
SETTLES_WITHIN_S = 3.0
"""Counts are folded from a stream and may be behind the run's end."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A look at a run: its record, and how many of its actions are in each status."""

    run: RunRecord
    view: RunView

    @property
    def is_settled(self) -> bool:
        """Whether the counts show no open action."""
        counted = {status for counts in self.view.counts.values() for status, n in counts.items() if n}
        return bool(counted) and all(Status(status).is_terminal for status in counted)


def watch_run(run: Run) -> AsyncIterator[Snapshot]:
    """Yield snapshots of a submitted run until it has ended; see `watch`."""
    return watch(run.name, mode=parse_mode(run.mode), generation=run._record.spec.generation)


async def watch(run_id: str, *, mode: Mode | None = None, generation: int = 1) -> AsyncIterator[Snapshot]:
    """Yield snapshots of a run until it has ended.

    Args:
        run_id: The run.
        mode: Its backend; None takes the configured one.
        generation: The submission to wait for: a recovered run still has its old record at first.

    Raises:
        RunNotFoundError: there is no such run, and none appears within half a minute.
    """
    config = current_config()
    async with open_backend(mode or config.mode, config) as backend:
        async for snapshot in watch_on(backend, run_id, generation=generation):
            yield snapshot


async def watch_on(
    backend: Backend, run_id: str, *, generation: int = 1, stop: asyncio.Event | None = None
) -> AsyncIterator[Snapshot]:
    """Do what `watch` does, on a backend that is open; setting `stop` ends it after one more look."""
    stop = stop or asyncio.Event()
    started = time.monotonic()
    while True:
        is_last = stop.is_set()
        snapshot = await _look(backend, run_id, generation)
        waited_s = time.monotonic() - started
        if snapshot is None:
            if waited_s > STARTS_WITHIN_S:
                raise RunNotFoundError(f"there is no run {run_id!r}; `upwell get runs` lists them")
        elif snapshot.run.status.is_terminal:
            yield await _settled(backend, snapshot)
            return
        else:
            yield snapshot
        if is_last:
            return
        await _pause(stop, min(max(waited_s * INTERVAL_PART, INTERVAL_MIN_S), INTERVAL_MAX_S))


async def _look(backend: Backend, run_id: str, generation: int) -> Snapshot | None:
    record = await backend.store.get_run(run_id)
    if record is None or record.spec.generation < generation:
        return None
    return Snapshot(record, await backend.store.view(run_id))


async def _settled(backend: Backend, snapshot: Snapshot) -> Snapshot:
    """Return the last snapshot, once the counts have caught up with the run's end, or don't any more."""
    if backend.mode == "local":
        return snapshot
    deadline = time.monotonic() + SETTLES_WITHIN_S
    while not snapshot.is_settled and time.monotonic() < deadline:
        await asyncio.sleep(INTERVAL_MIN_S)
        snapshot = Snapshot(snapshot.run, await backend.store.view(snapshot.run.spec.run_id))
    return snapshot


async def _pause(stop: asyncio.Event, delay_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), delay_s)
