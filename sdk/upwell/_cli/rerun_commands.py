"""`upwell recover` and `upwell rerun`: go on with a run, or run it again."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from upwell._cli.get_commands import AsJson, RunName
from upwell._cli.run_code import File, load_run_code, run_record
from upwell._cli.run_options import EnvVars, Follow, Labels, MaxActions, MaxDepth, RootDir, RunFlags, RunTimeout
from upwell._cli.session import Session, shared_options

TASK_OPTIONS = {"ignore_unknown_options": True}
"""What is no option of the command is one of the task."""


@shared_options
def recover(
    session: Session,
    run: RunName,
    new_code: Annotated[
        bool, typer.Option("--new-code", help="Go on with the code as it is now, not with the run's own.")
    ] = False,
    max_actions: MaxActions = None,
    max_depth: MaxDepth = None,
    file: File = None,
    root_dir: RootDir = None,
    follow: Follow = None,
    timeout: RunTimeout = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a run that failed, was aborted or lost its process: what succeeded is not done again."""
    from upwell._cli.running import recover as recover_run

    record = run_record(session, run)
    config = session.configure()
    if new_code or config.mode == "local":
        _, root_dir = load_run_code(record, file, root_dir or config.root_dir, "recover")
        session.configure()
    flags = RunFlags(follow=follow, json=as_json, timeout=timeout)
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
    label: Labels = None,
    env: EnvVars = None,
    file: File = None,
    root_dir: RootDir = None,
    follow: Follow = None,
    timeout: RunTimeout = None,
    as_json: AsJson = False,
) -> None:
    """Run the task of a run again, with the same inputs and options, as a new run.

    Labels and environment variables are added to those of the run.
    """
    from upwell._cli.arguments import read_json_inputs
    from upwell._cli.running import rerun as rerun_run
    from upwell._cli.task_command import read_new_inputs

    record = run_record(session, run)
    config = session.configure()
    inputs: dict[str, Any] = {}
    if arguments or json_inputs is not None or new_code or config.mode == "local":
        task, root_dir = load_run_code(record, file, root_dir or config.root_dir, "rerun")
        session.configure()
        if json_inputs is not None:
            inputs = read_json_inputs(task.interface.parameters, json_inputs, option="--inputs")
        inputs |= read_new_inputs(session, task, arguments or [], prog_name=f"upwell rerun {run}")
    flags = RunFlags(name=name, follow=follow, json=as_json, timeout=timeout, label=label, env=env)
    rerun_run(record, inputs, flags, new_code=new_code, root_dir=root_dir)
