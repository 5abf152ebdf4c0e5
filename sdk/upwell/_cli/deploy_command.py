"""`upwell deploy FILE.py`: creates or updates the pools of a file's environments on AWS."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from upwell._cli.get_commands import AsJson, WaitTimeout
from upwell._cli.run_options import RootDir
from upwell._cli.session import Session, shared_options


@shared_options
def deploy(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE.py", show_default=False)],
    root_dir: RootDir = None,
    timeout: WaitTimeout = None,
    as_json: AsJson = False,
) -> None:
    """Create or update the pools of a file's environments on AWS, one stack each.

    Needed when an environment's resources or reuse policy change, not when code does. The sandbox deploys by
    itself, and environments that ask for nothing special run in the platform's default pool.
    """
    from upwell._author.environment import TaskEnvironment
    from upwell._cli.following import within
    from upwell._cli.lengths import timeout_seconds
    from upwell._cli.program import load_program
    from upwell._cli.terminal import note, print_json
    from upwell._client.deploy import deploy_environments
    from upwell._client.pools import with_dependencies
    from upwell.errors import UsageError

    timeout_s = timeout_seconds(timeout)
    config = session.configure()
    if config.mode == "sandbox":
        raise UsageError("the sandbox deploys by itself; give --backend aws to deploy to AWS")
    program = load_program(file, root_dir or config.root_dir)
    found = [value for value in vars(program.module).values() if isinstance(value, TaskEnvironment)]
    environments = with_dependencies(found)
    if not environments:
        raise UsageError(f"{file} defines no TaskEnvironment; there is nothing to deploy")
    config = session.configure()
    work = deploy_environments(environments, config)
    late = "CloudFormation goes on with the stacks; `upwell deploy` again waits for them"
    changed = asyncio.run(within(timeout_s, work, late))
    pools = sorted({environment.pool for environment in environments})
    if as_json:
        print_json({"stage": config.stage, "pools": pools, "changed": changed})
        return
    for pool in pools:
        state = "the platform's own" if pool == "default" else "deployed" if pool in changed else "up to date"
        print(f"{pool}: {state}")
    note(f"stage {config.stage}: {len(changed)} of {len(pools)} pools changed")
