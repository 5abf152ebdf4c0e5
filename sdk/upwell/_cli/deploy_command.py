"""`upwell deploy FILE.py`: creates or updates the pools of a file's environments, and keeps its tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from upwell._cli.get_commands import AsJson, WaitTimeout
from upwell._cli.run_options import RootDir
from upwell._cli.session import Session, shared_options

if TYPE_CHECKING:
    from upwell._author.environment import TaskEnvironment
    from upwell._cli.program import Program


@shared_options
def deploy(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE.py", show_default=False)],
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ENVIRONMENT]...", help="Only these, and those that they depend on."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Create nothing; check what is asked for, and print it.")
    ] = False,
    root_dir: RootDir = None,
    timeout: WaitTimeout = None,
    as_json: AsJson = False,
) -> None:
    """Create or update the pools of a file's environments on AWS, one stack each, and keep its tasks.

    Needed when an environment's resources or reuse policy change; `upwell run` brings its code along. The
    console and the Run API start runs of deployed tasks with the code as it is now, until it is deployed anew.
    On the sandbox, which makes pools by itself, the tasks alone are deployed.
    """
    from upwell._cli.following import within
    from upwell._cli.lengths import timeout_seconds
    from upwell._cli.program import load_program
    from upwell._cli.terminal import note, print_json
    from upwell._client.backend import open_backend
    from upwell._client.deploy import deploy_environments
    from upwell._client.deployed_tasks import publish_tasks
    from upwell._core.keys import DEFAULT_POOL

    timeout_s = timeout_seconds(timeout)
    config = session.configure()
    program = load_program(file, root_dir or config.root_dir)
    environments = _environments(program, names or [])
    config = session.configure()
    if dry_run:
        _print_asked(environments, as_json=as_json)
        return
    where = config if config.mode == "sandbox" else replace(config, mode="aws")

    async def work() -> tuple[list[str], list[str]]:
        changed = await deploy_environments(environments, where) if where.mode == "aws" else []
        async with open_backend(where.mode, where) as backend:
            await backend.prepare({e.pool: e for e in environments if e.pool != DEFAULT_POOL})
            return changed, await publish_tasks(backend, environments, root_dir or config.root_dir)

    late = "CloudFormation goes on with the stacks; `upwell deploy` again waits for them"
    changed, new_tasks = asyncio.run(within(timeout_s, work(), late))
    pools = sorted({environment.pool for environment in environments})
    tasks = sorted(task.name for environment in environments for task in environment.tasks.values())
    if as_json:
        stage = config.stage if where.mode == "aws" else None
        document = {"stage": stage, "pools": pools, "changed": changed, "tasks": tasks, "new_tasks": new_tasks}
        print_json(document)
        return
    for pool in pools:
        state = "the platform's own" if pool == "default" else "deployed" if pool in changed else "up to date"
        print(f"{pool}: {state}")
    for task in tasks:
        print(f"{task}: {'deployed' if task in new_tasks else 'up to date'}")
    place = f"stage {config.stage}" if where.mode == "aws" else "the sandbox"
    note(f"{place}: {len(changed)} of {len(pools)} pools and {len(new_tasks)} of {len(tasks)} tasks changed")


def _environments(program: Program, names: Sequence[str]) -> list[TaskEnvironment]:
    """Return the environments of a file, or those of them that are named, with those that they depend on.

    Raises:
        UsageError: there are none, or none of a name.
    """
    from upwell._author.environment import TaskEnvironment
    from upwell._client.pools import with_dependencies
    from upwell.errors import UsageError

    found = {e.name: e for e in vars(program.module).values() if isinstance(e, TaskEnvironment)}
    if not found:
        raise UsageError(f"{program.file} defines no TaskEnvironment; there is nothing to deploy")
    unknown = [name for name in names if name not in found]
    if unknown:
        raise UsageError(f"{program.file} has no environment {unknown[0]!r}; it has {', '.join(found)}")
    return with_dependencies([found[name] for name in names or found])


def _print_asked(environments: Sequence[TaskEnvironment], *, as_json: bool) -> None:
    """Print which pools environments ask for.

    Raises:
        UnsupportedError: one asks for what AWS cannot give.
    """
    from upwell._cli.terminal import note, print_json
    from upwell._client.deploy import pool_parameters
    from upwell._core.keys import DEFAULT_POOL

    asked = {e.pool: pool_parameters(e) for e in sorted(environments, key=lambda e: e.pool)}
    if as_json:
        print_json({pool: {"kind": kind, "parameters": values} for pool, (kind, values) in asked.items()})
        return
    for pool, (kind, values) in asked.items():
        wanted = " ".join(f"{name}={value}" for name, value in values.items())
        print(f"{pool}: the platform's own" if pool == DEFAULT_POOL else f"{pool}: {kind} {wanted}")
    note("nothing was created")
