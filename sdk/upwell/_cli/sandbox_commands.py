"""`upwell sandbox start|status|stop`: emulated AWS on this machine, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer

from upwell._cli.get_commands import AsJson, WaitTimeout
from upwell._cli.session import Session, shared_options

NONE_RUNS = 3
"""Exit code of the sandbox's own command line when none runs."""

app = typer.Typer(help="Emulated AWS on this machine; `--backend sandbox` starts it by itself.")


@app.command("start")
@shared_options
def start(
    session: Session,
    timeout: WaitTimeout = None,
    as_json: AsJson = False,
    lambda_timeout_s: Annotated[
        float | None, typer.Option(help="End every invocation after so long, in place of 15 minutes.")
    ] = None,
) -> None:
    """Start the sandbox, unless it runs."""
    region = ["--region", session.shared.region] if session.shared.region else []
    limit = ["--lambda-timeout-s", str(lambda_timeout_s)] if lambda_timeout_s is not None else []
    _call(session, "start", *region, *limit, as_json=as_json, timeout=timeout)


@app.command("status")
@shared_options
def status(session: Session, as_json: AsJson = False) -> None:
    """Show the sandbox and its processes. Exit code 1 when none runs."""
    _call(session, "status", as_json=as_json)


@app.command("stop")
@shared_options
def stop(session: Session, timeout: WaitTimeout = None, as_json: AsJson = False) -> None:
    """Stop the sandbox and wait until all its processes are gone."""
    _call(session, "stop", as_json=as_json, timeout=timeout)


def _call(session: Session, *arguments: str, as_json: bool, timeout: str | None = None) -> None:
    from upwell._cli.failures import FAILURE, WaitedTooLongError
    from upwell._cli.lengths import timeout_seconds
    from upwell._client.sandbox import check_installed, sandbox_command
    from upwell.errors import UpwellError

    config = session.configure()
    command = sandbox_command(config.state_dir, *arguments, *(["--json"] if as_json else []))
    timeout_s = timeout_seconds(timeout)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=timeout_s
        )
    except subprocess.TimeoutExpired as e:
        late = f"`upwell sandbox {arguments[0]}` again waits for longer"
        raise WaitedTooLongError(f"waited for {timeout_s:g} s for the sandbox to {arguments[0]}; {late}") from e
    sys.stdout.write(done.stdout)
    if done.returncode == 0:
        sys.stderr.write(done.stderr)
        return
    if done.returncode == NONE_RUNS:
        raise typer.Exit(FAILURE)
    check_installed(done)
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    raise UpwellError(f"the sandbox could not {arguments[0]}: {' '.join(lines[-3:]).removeprefix('sandbox: ')}")
