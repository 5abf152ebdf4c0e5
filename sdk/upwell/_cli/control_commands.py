"""`upwell abort`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upwell._cli.get_commands import AsJson, RunName
from upwell._cli.session import Session, shared_options

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
    from upwell._client.stopping import stop_action

    async def stop(backend: Backend, record: RunRecord) -> dict[str, Any]:
        await stop_action(backend, record, action, reason)
        if action != record.root.action_id:
            return {"run": run, "action": action, "status": "aborted"}
        return await load_document(backend, await backend.store.get_run(run) or record)

    shown = asyncio.run(read_run(session, run, stop))
    if as_json:
        print_json(shown)
    elif "action" in shown:
        note(f"action {action} of run {run} aborted")
    else:
        note(f"run {run} {'aborted' if shown['status'] == 'aborted' else 'is being aborted'}")
