"""Runs a recorded attempt once more, in this process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from upwell._client.backend import Backend
from upwell._core.sizer import Sizing
from upwell._exec.boundary import Ended, Start
from upwell._exec.recorded import RecordedHost, Recording
from upwell._exec.user_code import Loader, TaskRun
from upwell._types.transfers.overlay import Overlay

WORKER = "replay"
"""Who runs it, for its errors."""
LOOK_S, PATIENCE_S = 0.1, 0.5
"""A call of which nothing is recorded is given up when its task has waited for that alone for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of a replay.

    Attributes:
        ended: How it ended.
        failed_child: The child whose failure it ended with, if it did.
        missing: What was said of calls that could not be answered.
    """

    ended: Ended
    failed_child: str | None
    missing: tuple[str, ...]


async def replay_attempt(backend: Backend, recording: Recording, loader: Loader, folder: Path) -> Replayed:
    """Run an attempt once more; nothing is written to its run.

    Args:
        backend: Where the run is.
        recording: The attempt.
        loader: Finds its task here.
        folder: Takes the files that the task makes.
    """
    host = RecordedHost(recording, backend.store, backend.blobs)
    blob_prefix = backend.blobs.uri("")
    kept = folder / "blobs"
    transfers = {scheme: Overlay(each, blob_prefix, kept) for scheme, each in backend.transfers.items()}
    start = await _start(backend, recording, folder)
    run = TaskRun(start, recording.inputs, host, loader, transfers)
    work = asyncio.create_task(run.run())
    try:
        while not work.done():
            await asyncio.wait({work}, timeout=LOOK_S)
            if host.is_waiting and await run.idle_s() >= PATIENCE_S:
                host.give_up()
    finally:
        work.cancel()
    ended = await work
    return Replayed(ended=ended, failed_child=_blamed(ended, host), missing=tuple(host.missing))


async def _start(backend: Backend, recording: Recording, folder: Path) -> Start:
    spec = recording.spec
    return Start(
        spec=spec,
        attempt=recording.attempt,
        worker=WORKER,
        mode=backend.mode,
        blob_prefix=backend.blobs.uri(""),
        raw_data_prefix=str(folder / "data"),
        scratch=str(folder / "scratch"),
        secrets=await backend.secrets(spec.task.secrets),
        traces=recording.journal.traces,
        sizing=Sizing(),
        batches=recording.journal.batches,
        failures=recording.failures,
    )


def _blamed(ended: Ended, host: RecordedHost) -> str | None:
    """Return the child whose failure passed through the task."""
    if ended.error is None:
        return None
    raised_at = ended.error.traceback
    known = [child for child, error in host.failed if raised_at and error.traceback == raised_at]
    return known[-1] if known else None
