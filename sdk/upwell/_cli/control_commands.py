"""`upwell abort`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upwell._cli.get_commands import AsJson, RunName
from upwell._cli.session import Session, hint, shared_options

if TYPE_CHECKING:
    from upwell._client.backend import Backend
    from upwell._core.model import RunRecord


@shared_options
def abort(
    session: Session,
    run: RunName,
    action: Annotated[
        str, typer.Argument(metavar="[ACTION]", show_default=False, help="Action id; else the whole run.")
    ] = "a0",
    reason: Annotated[str, typer.Option("--reason", help="Recorded with the run.")] = "aborted by the user",
    as_json: AsJson = False,
) -> None:
    """End a run and everything in it, or one action and everything below it."""
    from upwell._cli.reading import load_document, read_run
    from upwell._cli.terminal import note, print_json
    from upwell.errors import RunStateError

    async def stop(backend: Backend, record: RunRecord) -> dict[str, Any]:
        if record.status.is_terminal:
            phase = record.status.value.lower()
            raise RunStateError(f"run {run} has ended already ({phase}); there is nothing to abort")
        if action != record.root.action_id:
            return await stop_action(backend, record)
        await backend.abort(record, reason)
        ended = await backend.store.get_run(run) or record
        return await load_document(backend, ended)

    async def stop_action(backend: Backend, record: RunRecord) -> dict[str, Any]:
        if not await backend.is_alive(record):
            raise RunStateError(f"nothing works on run {run}; {hint(f'recover {run}')} goes on with it")
        status = (await backend.abort_action(record, action, reason)).value.lower()
        if status != "aborted":
            raise RunStateError(f"action {action} of run {run} has ended already ({status})")
        return {"run": run, "action": action, "status": status}

    shown = asyncio.run(read_run(session, run, stop))
    if as_json:
        print_json(shown)
    elif "action" in shown:
        note(f"action {action} of run {run} aborted")
    else:
        note(f"run {run} {'aborted' if shown['status'] == 'aborted' else 'is being aborted'}")
