"""`upwell recover` and `upwell rerun`: go on with a run, or run it again."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upwell._cli.get_commands import AsJson, RunName
from upwell._cli.session import Session, shared_options

if TYPE_CHECKING:
    from upwell._author.task import Task
    from upwell._client.backend import Backend
    from upwell._core.model import RunRecord

TASK_OPTIONS = {"ignore_unknown_options": True}
"""What is no option of the command is one of the task."""
File = Annotated[
    str | None,
    typer.Option("--file", metavar="FILE.py", help="File of the run's task, if it has moved."),
]
RootDir = Annotated[Path | None, typer.Option("--root-dir", help="Where the code starts.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Follow the run to its end.")]


@shared_options
def recover(
    session: Session,
    run: RunName,
    new_code: Annotated[
        bool, typer.Option("--new-code", help="Go on with the code as it is now, not with the run's own.")
    ] = False,
    max_actions: Annotated[
        int | None, typer.Option("--max-actions", min=1, help="Actions that the run may have from now on.")
    ] = None,
    max_depth: Annotated[
        int | None, typer.Option("--max-depth", min=1, help="Levels of tasks that call tasks from now on.")
    ] = None,
    file: File = None,
    root_dir: RootDir = None,
    follow: Follow = False,
    as_json: AsJson = False,
) -> None:
    """Go on with a run that failed, was aborted or lost its process: what succeeded is not done again."""
    from upwell._cli.run_options import RunFlags
    from upwell._cli.running import recover as recover_run

    record = _record(session, run)
    config = session.configure()
    if new_code or config.mode == "local":
        _, root_dir = _load_code(record, file, root_dir or config.root_dir, "recover")
        session.configure()
    flags = RunFlags(follow=follow, json=as_json)
    recover_run(
        run,
        record,
        flags,
        new_code=new_code,
        root_dir=root_dir,
        max_actions=max_actions,
        max_depth=max_depth,
    )


@shared_options
def rerun(
    session: Session,
    run: RunName,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[--PARAMETER VALUE]...", help="Inputs that replace those of the run."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="RUN", help="Id of the new run.")] = None,
    new_code: Annotated[
        bool, typer.Option("--new-code", help="Take the code as it is now. Local runs do.")
    ] = False,
    json_inputs: Annotated[
        str | None,
        typer.Option(
            "--inputs", metavar="JSON|@FILE|-", help="Inputs that replace those of the run, as one JSON object."
        ),
    ] = None,
    file: File = None,
    root_dir: RootDir = None,
    follow: Follow = False,
    as_json: AsJson = False,
) -> None:
    """Run the task of a run again, with the same inputs and options, as a new run."""
    from upwell._cli.arguments import read_json_inputs
    from upwell._cli.run_options import RunFlags
    from upwell._cli.running import rerun as rerun_run
    from upwell._cli.task_command import read_new_inputs

    record = _record(session, run)
    config = session.configure()
    inputs: dict[str, Any] = {}
    if arguments or json_inputs is not None or new_code or config.mode == "local":
        task, root_dir = _load_code(record, file, root_dir or config.root_dir, "rerun")
        session.configure()
        if json_inputs is not None:
            text = sys.stdin.read() if json_inputs == "-" else json_inputs
            inputs = read_json_inputs(task.interface.parameters, text, option="--inputs")
        inputs |= read_new_inputs(session, task, arguments or [], prog_name=f"upwell rerun {run}")
    flags = RunFlags(name=name, follow=follow, json=as_json)
    rerun_run(record, inputs, flags, new_code=new_code, root_dir=root_dir)


def _record(session: Session, run: str) -> RunRecord:
    from upwell._cli.reading import read_run

    async def load(_: Backend, record: RunRecord) -> RunRecord:
        return record

    return asyncio.run(read_run(session, run, load))


def _load_code(
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
