"""The command `upwell`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from typing import Any

import typer

from upwell._cli import (
    action_command,
    cache_commands,
    code_command,
    config_command,
    console_command,
    control_commands,
    deploy_command,
    deployed_commands,
    doctor_command,
    gc_command,
    get_commands,
    logs_command,
    profile_command,
    replay_command,
    rerun_commands,
    sandbox_commands,
    why_command,
)
from upwell._cli.elsewhere import Group
from upwell._cli.failures import DONE, INTERRUPTED, report
from upwell._cli.messages import show_messages
from upwell._cli.run_command import HELP, STOP_AT_FIRST, run_command
from upwell._cli.session import Session, Shared, shared_options, shared_parameters, with_parameters

ABOUT = (
    "Durable Python functions at any fan-out, on your own AWS account, with nothing running when nothing runs."
)
EPILOG = (
    "Exit codes: 0 done, 1 failure, 2 wrong usage, 124 waited too long, 130 interrupted. "
    "Results go to stdout, everything else to stderr."
)

app = typer.Typer(name="upwell", cls=Group, rich_markup_mode="rich", pretty_exceptions_enable=False)
app.command("run", help=HELP, epilog=EPILOG, context_settings=STOP_AT_FIRST)(run_command())
get_commands.app.command("action")(action_command.action)
get_commands.app.command("code")(code_command.code)
get_commands.app.command("config")(config_command.config)
get_commands.app.command("tasks")(deployed_commands.tasks)
app.add_typer(get_commands.app, name="get")
app.command("logs")(logs_command.logs)
app.command("profile")(profile_command.profile)
app.command("why")(why_command.why)
app.add_typer(cache_commands.app, name="cache")
app.command("abort")(control_commands.abort)
app.command("recover")(rerun_commands.recover)
app.command("rerun", context_settings=rerun_commands.TASK_OPTIONS)(rerun_commands.rerun)
app.command("replay")(replay_command.replay)
app.command("console")(console_command.console)
app.add_typer(sandbox_commands.app, name="sandbox")
app.command("deploy")(deploy_command.deploy)
app.add_typer(deployed_commands.delete_app, name="delete")
app.command("doctor")(doctor_command.doctor)
app.command("gc")(gc_command.gc)


def _root(**values: Any) -> None:
    ctx: typer.Context = values.pop("ctx")
    ctx.obj.take(Shared(**values))
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


_CONTEXT = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
app.callback(invoke_without_command=True, epilog=EPILOG, help=ABOUT)(
    with_parameters(_root, [_CONTEXT, *shared_parameters()])
)


@app.command("version")
@shared_options
def version(session: Session, as_json: get_commands.AsJson = False) -> None:
    """Print the version."""
    import platform

    from upwell import __version__
    from upwell._cli.terminal import print_json

    if as_json:
        print_json({"version": __version__, "python": platform.python_version()})
    else:
        print(f"upwell {__version__}")


def run_app(arguments: Sequence[str]) -> int:
    """Carry out a command line and return the exit code; errors are shown."""
    session = Session(Shared())
    command = typer.main.get_command(app)
    with show_messages(session):
        try:
            result = command.main(list(arguments), prog_name="upwell", standalone_mode=False, obj=session)
        except Exception as e:
            return report(e, debug=session.debug)
    if result == INTERRUPTED:
        return report(KeyboardInterrupt(), debug=False)
    return result if isinstance(result, int) else DONE


def main() -> None:
    """Carry out this process's command line and exit."""
    sys.exit(run_app(sys.argv[1:]))
