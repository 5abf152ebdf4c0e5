"""`upwell run FILE.py TASK`: read in three steps, since the file says which options there are."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upwell._cli.deployed_commands import NAME, run_deployed
from upwell._cli.elsewhere import instead_of
from upwell._cli.run_options import RunFlags, pop_flags, run_parameters
from upwell._cli.session import Session, shared_options, with_parameters
from upwell.errors import UsageError

if TYPE_CHECKING:
    from upwell._cli.program import Program

STOP_AT_FIRST = {"allow_interspersed_args": False}
"""What stands after the first argument is not read yet."""
HELP = """Run a task of a file.

`upwell run FILE.py` lists the file's tasks, and `upwell run FILE.py TASK --help` shows a task's parameters.
`upwell run deployed-task NAME --inputs JSON` runs one that was deployed, without a file.
"""
HELP_OPTIONS = ("--help", "-h")


def run_command() -> Any:
    """Return the command's function, for `typer.Typer.command`."""

    def run(session: Session, file: str, rest: list[str] | None = None, **values: Any) -> None:
        _run(session, pop_flags(values), file, rest or [])

    file = _parameter("file", Annotated[str, typer.Argument(metavar="FILE.py", show_default=False)])
    rest = _parameter(
        "rest",
        Annotated[list[str] | None, typer.Argument(metavar="TASK", show_default=False)],
        default=None,
    )
    first = inspect.Parameter("session", inspect.Parameter.KEYWORD_ONLY, annotation=Session)
    return shared_options(with_parameters(run, [first, file, rest, *run_parameters()]))


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _run(session: Session, flags: RunFlags, file: str, rest: Sequence[str]) -> None:
    from upwell._cli.program import check_root, find_task, load_program
    from upwell._cli.running import run_task
    from upwell._cli.task_command import read_task_call

    if file == NAME and not Path(file).exists():
        run_deployed(session, flags, rest)
        return
    if (text := instead_of(["run", file])) is not None and not Path(file).exists():
        raise UsageError(text)
    more, task_name, arguments = _read_task_name(session, file, rest)
    flags = flags.merged(more)
    config = session.configure()
    program = load_program(file, flags.root_dir or _root_dir_in(arguments, file) or config.root_dir)
    if task_name is None:
        _list_tasks(program, as_json=bool(flags.json))
        return
    task = find_task(program, task_name)
    call = read_task_call(session, task, arguments, prog_name=f"upwell run {file} {task_name}")
    if call is None:
        return
    check_root(program, call.flags.root_dir)
    session.configure()  # again: a program may have called upwell.init, and options may have come since
    run_task(program, task, call.inputs, flags.merged(call.flags))


def _root_dir_in(arguments: Sequence[str], file: str) -> Path | None:
    """Look ahead for --root-dir among a task's options, which are read when the file has been loaded.

    It may be a parameter of the task as well; then it is unlikely to be a folder that the file is in.
    """
    for index, text in enumerate(arguments):
        name, equals, value = text.partition("=")
        if name == "--root-dir":
            root = Path(value if equals else "".join(arguments[index + 1 : index + 2])).absolute()
            return root if Path(file).absolute().is_relative_to(root) else None
    return None


def _read_task_name(
    session: Session, file: str, rest: Sequence[str]
) -> tuple[RunFlags, str | None, Sequence[str]]:
    """Read what stands between FILE and TASK: options of the run, and whether help is asked for."""
    from upwell._cli.task_command import run_typer

    if not rest or rest[0] in HELP_OPTIONS:
        return RunFlags(), None, []
    found: list[tuple[RunFlags, str | None, list[str]]] = []

    def read(session: Session, task: str | None, arguments: list[str] | None, **values: Any) -> None:
        found.append((pop_flags(values), task, arguments or []))

    first = inspect.Parameter("session", inspect.Parameter.KEYWORD_ONLY, annotation=Session)
    task = _parameter("task", Annotated[str | None, typer.Argument(metavar="TASK")], default=None)
    others = _parameter("arguments", Annotated[list[str] | None, typer.Argument()], default=None)
    app = typer.Typer(add_completion=False)
    app.command(context_settings=STOP_AT_FIRST, help=HELP)(
        shared_options(with_parameters(read, [first, task, others, *run_parameters()]))
    )
    run_typer(app, rest, session, f"upwell run {file}")
    return found[0] if found else (RunFlags(), None, [])


def _list_tasks(program: Program, *, as_json: bool) -> None:
    from upwell._cli.tables import print_tasks
    from upwell._cli.terminal import print_json
    from upwell.errors import TaskNotFoundError

    tasks = sorted(program.tasks.values(), key=lambda task: task.func.__code__.co_firstlineno)
    if not tasks:
        raise TaskNotFoundError(f"{program.file} has no tasks; decorate a function with @env.task")
    if as_json:
        print_json([{"task": t.name, "parameters": list(t.interface.parameters)} for t in tasks])
        return
    print_tasks(program.file, tasks)
