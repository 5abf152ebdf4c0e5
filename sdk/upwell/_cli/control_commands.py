"""`upwell abort` and `upwell recover`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
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


@shared_options
def recover(
    session: Session,
    run: RunName,
    file: Annotated[
        str | None,
        typer.Option("--file", metavar="FILE.py", help="File of a local run's task, if it has moved."),
    ] = None,
    root_dir: Annotated[Path | None, typer.Option("--root-dir", help="Where the code starts.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow the run to its end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Go on with a run that failed, was aborted or lost its process: what succeeded is not done again."""
    from upwell._cli.reading import read_run
    from upwell._cli.run_options import RunFlags
    from upwell._cli.running import recover as recover_run

    async def load(_: Backend, record: RunRecord) -> RunRecord:
        return record

    record = asyncio.run(read_run(session, run, load))
    config = session.configure()
    if config.mode == "local":
        _load_code(record, file, root_dir or config.root_dir)
        session.configure()
    recover_run(run, record, RunFlags(follow=follow, json=as_json))


def _load_code(record: RunRecord, file: str | None, root_dir: Path | None) -> None:
    """Make the root task of a local run importable: from a given file, where it was, or from here.

    Raises:
        UsageError: the task is not found; the message says to name its file.
    """
    from upwell._author.registry import resolve
    from upwell._cli.program import load_program
    from upwell._cli.running import FILE_LABEL, ROOT_LABEL
    from upwell.errors import TaskNotFoundError, UsageError

    known = record.labels.get(FILE_LABEL)
    spec = record.root.task
    if file is not None:
        load_program(file, root_dir)
    elif known is not None and Path(known).is_file():
        load_program(known, Path(record.labels[ROOT_LABEL]))
    else:
        sys.path.insert(0, str(Path.cwd() if root_dir is None else root_dir))
    try:
        resolve(spec.module, spec.name)
    except TaskNotFoundError as e:
        hint = "its code is elsewhere; name the file" if file is None else "that is not its file; name the one"
        raise UsageError(
            f"run {record.spec.run_id} needs task {spec.name!r} of module {spec.module!r}: "
            f"{hint} that defines it: `upwell recover {record.spec.run_id} --file FILE.py`"
        ) from e
