"""Finds the code of a run on this machine, for commands that run its tasks here."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upwell._cli.session import Session

if TYPE_CHECKING:
    from upwell._author.task import Task
    from upwell._client.backend import Backend
    from upwell._core.model import RunRecord

File = Annotated[
    str | None,
    typer.Option("--file", metavar="FILE.py", help="File of the run's task, if it has moved."),
]


def run_record(session: Session, run: str) -> RunRecord:
    """Return a run's record.

    Raises:
        RunNotFoundError: there is no such run on this backend.
    """
    from upwell._cli.reading import read_run

    async def load(_: Backend, record: RunRecord) -> RunRecord:
        return record

    return asyncio.run(read_run(session, run, load))


def load_bundle(folder: Path, module: str) -> None:
    """Import a module of a bundle that was unpacked into a folder, in place of what has its name here.

    Raises:
        UsageError: the bundle does not have it.
        ProgramError: its code raised an exception.
    """
    from upwell._cli.program import load_program

    path = folder.joinpath(*module.split("."))
    load_program(str(path / "__init__.py" if path.is_dir() else path.with_suffix(".py")), folder)


def load_run_code(
    record: RunRecord, file: str | None, root_dir: Path | None, command: str
) -> tuple[Task[..., Any], Path | None]:
    """Make the root task of a run importable: from a given file, where it was, or from here.

    Returns:
        The task, and the folder that its code is below, if that is known.

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
        root_dir = load_program(file, root_dir).root
    elif known is not None and Path(known).is_file():
        root_dir = load_program(known, Path(record.labels[ROOT_LABEL])).root
    else:
        sys.path.insert(0, str(Path.cwd() if root_dir is None else root_dir))
    try:
        return resolve(spec.module, spec.name), root_dir
    except TaskNotFoundError as e:
        hint = "its code is elsewhere; name the file" if file is None else "that is not its file; name the one"
        raise UsageError(
            f"run {record.spec.run_id} needs task {spec.name!r} of module {spec.module!r}: "
            f"{hint} that defines it: `upwell {command} {record.spec.run_id} --file FILE.py`"
        ) from e
