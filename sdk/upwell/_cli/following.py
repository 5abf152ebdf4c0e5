"""Follows a run that somebody else started, to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from upwell._cli.failures import InterruptedRunError, WaitedTooLongError
from upwell._cli.outcome import finish
from upwell._cli.progress import Display, make_display
from upwell._cli.reading import read_run
from upwell._cli.run_options import Shown
from upwell._cli.session import Session, hint
from upwell._client.backend import Backend
from upwell._client.watch import watch_on
from upwell._core.model import RunRecord
from upwell.errors import RunStateError

T = TypeVar("T")


def follow_run(session: Session, run_id: str, *, shown: Shown, timeout_s: float | None) -> None:
    """Show how a run goes until it has ended, then how it ended.

    Raises:
        RunNotFoundError: there is no such run.
        RunStateError: its process is gone, so that it will not end.
        WaitedTooLongError: it has not ended in time; it goes on.
        RunFailedError: it did not succeed.
    """
    display = make_display(run_id, shown)

    async def watch(backend: Backend, _: RunRecord) -> None:
        await _watch(backend, run_id, display)

    late = f"run {run_id} has not ended and goes on; {hint(f'get run {run_id} --follow')} waits for longer"
    try:
        with display:
            asyncio.run(within(timeout_s, read_run(session, run_id, watch), late))
    except KeyboardInterrupt:
        raise InterruptedRunError(f"no longer following run {run_id}, which goes on") from None
    finish(run_id, shown=shown, names=None)


async def within(timeout_s: float | None, work: Awaitable[T], late: str) -> T:
    """Await something for so long at most.

    Args:
        timeout_s: None waits for as long as it takes.
        work: What is awaited.
        late: What becomes of it when that is not enough.

    Raises:
        WaitedTooLongError: it was not over by then.
    """
    try:
        async with asyncio.timeout(timeout_s) as bound:
            return await work
    except TimeoutError as e:
        if not bound.expired():
            raise
        raise WaitedTooLongError(f"waited for {timeout_s:g} s: {late}") from e


async def _watch(backend: Backend, run_id: str, display: Display) -> None:
    async for snapshot in watch_on(backend, run_id):
        display.update(snapshot)
        if not snapshot.run.status.is_terminal and not await backend.is_alive(snapshot.run):
            await _refuse_if_lost(backend, run_id)


async def _refuse_if_lost(backend: Backend, run_id: str) -> None:
    """Raise where nothing works on a run, unless it has ended since it was looked at."""
    record = await backend.store.get_run(run_id)
    if record is None or not record.status.is_terminal:
        raise RunStateError(
            f"nothing works on run {run_id} any more; `upwell recover {run_id}` goes on with it"
        )
