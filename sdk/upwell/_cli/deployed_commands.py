"""Tasks that were deployed and need no file here: `run deployed-task`, `get tasks`, `delete task`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upwell._cli.elsewhere import Group
from upwell._cli.get_commands import AsJson
from upwell._cli.run_options import Follow, Labels, RunFlags, RunTimeout
from upwell._cli.session import Session, shared_options

if TYPE_CHECKING:
    from upwell._client.backend import Backend
    from upwell._client.deployed_tasks import DeployedTask
    from upwell._client.run_handle import Run

NAME = "deployed-task"
"""What stands in place of a file."""
TaskName = Annotated[str, typer.Argument(metavar="NAME", help="<environment>.<function>, as deployed.")]

delete_app = typer.Typer(cls=Group, help="Delete deployed tasks.", no_args_is_help=False)


def run_deployed(session: Session, flags: RunFlags, arguments: Sequence[str]) -> None:
    """Start a run of a deployed task, given what stands after `upwell run deployed-task`.

    Args:
        session: Where it is deployed.
        flags: What stands before.
        arguments: What stands after.
    """
    from upwell._cli.task_command import run_typer

    @shared_options
    def run(
        session: Session,
        task: TaskName,
        inputs: Annotated[
            str, typer.Option("--inputs", metavar="JSON|@FILE|-", help="Inputs, as one JSON object.")
        ] = "{}",
        name: Annotated[str | None, typer.Option("--name", metavar="RUN", help="Run id.")] = None,
        label: Labels = None,
        follow: Follow = None,
        timeout: RunTimeout = None,
        as_json: AsJson = False,
    ) -> None:
        """Run a task that was deployed, with the code that it was deployed with."""
        later = RunFlags(name=name, label=label, follow=follow, timeout=timeout, json=as_json or None)
        _start(session, flags.merged(later), task, inputs)

    app = typer.Typer(add_completion=False)
    app.command()(run)
    run_typer(app, arguments, session, f"upwell run {NAME}")


def _start(session: Session, flags: RunFlags, task: str, inputs: str) -> None:
    from upwell._cli.arguments import read_json_object
    from upwell._cli.reading import read
    from upwell._cli.run_options import key_values
    from upwell._cli.running import submitted
    from upwell._client.deployed_tasks import deployed_task, start_deployed
    from upwell._client.run_handle import finished
    from upwell.errors import UsageError

    if session.configure().mode == "local":
        raise UsageError(
            "local runs need their file: `upwell run FILE.py TASK`; --backend says where it is deployed"
        )
    values = read_json_object(inputs, option="--inputs")
    labels = key_values(flags.label, option="--label")

    async def start(backend: Backend) -> Run:
        found = await deployed_task(backend.blobs, task)
        record = await start_deployed(
            backend, found, values, name=flags.name, labels=labels, timeout_s=flags.timeout_s()
        )
        return finished(backend, record, None)

    run = asyncio.run(read(session, start))
    assert run is not None  # that is so on the local backend alone
    submitted(run, flags, None)


@shared_options
def tasks(session: Session, as_json: AsJson = False) -> None:
    """List the tasks that are deployed; those of a file are listed by `upwell run FILE.py`."""
    from upwell._cli.reading import read
    from upwell._cli.tables import print_table
    from upwell._cli.terminal import note, print_json
    from upwell._client.deployed_tasks import deployed_tasks

    async def load(backend: Backend) -> list[DeployedTask]:
        return await deployed_tasks(backend.blobs)

    shown = [_document(task) for task in asyncio.run(read(session, load)) or []]
    if as_json:
        print_json(shown)
    elif shown:
        rows = [(t["task"], t["deployed_at"], ", ".join(t["inputs"].get("properties", {}))) for t in shown]
        print_table(("task", "deployed", "inputs"), rows)
    else:
        note("no tasks are deployed; `upwell deploy FILE.py` deploys those of a file")


@delete_app.command("task")
@shared_options
def delete_task(session: Session, task: TaskName, as_json: AsJson = False) -> None:
    """Delete a deployed task: no run of it is started any more. Runs that it has go on."""
    from upwell._cli.reading import read
    from upwell._cli.terminal import note, print_json
    from upwell._client.deployed_tasks import withdraw_task
    from upwell.errors import UsageError

    if session.configure().mode == "local":
        raise UsageError("local tasks are not deployed; --backend says where this one is")
    asyncio.run(read(session, lambda backend: withdraw_task(backend.blobs, task)))
    if as_json:
        print_json({"deleted": task})
    else:
        note(f"deleted task {task}; `upwell deploy` deploys it again")


def _document(task: DeployedTask) -> dict[str, Any]:
    from upwell._client.documents import instant

    return {
        "task": task.spec.name,
        "pool": task.spec.pool,
        "bundle": task.bundle,
        "deployed_at": instant(task.deployed_at),
        "description": task.description,
        "inputs": task.inputs,
    }
