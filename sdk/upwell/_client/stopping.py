"""Ending runs and actions on a person's behalf."""

from __future__ import annotations

from upwell._client.backend import Backend
from upwell._core.model import RunRecord, Status
from upwell.errors import RunStateError


async def stop_run(backend: Backend, run: RunRecord, reason: str) -> None:
    """End a run and everything in it.

    Raises:
        RunStateError: it has ended already.
    """
    _check_open(run)
    await backend.abort(run, reason)


async def stop_action(backend: Backend, run: RunRecord, action_id: str, reason: str) -> None:
    """End an action and everything below it; the root's end is the run's.

    Raises:
        ActionNotFoundError: the run has no such action, or none yet.
        RunStateError: it, or the run, has ended already, or nothing works on the run.
    """
    run_id = run.spec.run_id
    if action_id == run.root.action_id:
        await stop_run(backend, run, reason)
        return
    _check_open(run)
    if not await backend.is_alive(run):
        raise RunStateError(f"nothing works on run {run_id}; `upwell recover {run_id}` goes on with it")
    status = await backend.abort_action(run, action_id, reason)
    if status is not Status.ABORTED:
        raise RunStateError(f"action {action_id} of run {run_id} has ended already ({status.value.lower()})")


def _check_open(run: RunRecord) -> None:
    if run.status.is_terminal:
        phase = run.status.value.lower()
        raise RunStateError(f"run {run.spec.run_id} has ended already ({phase}); there is nothing to abort")
