"""What people may look for in the command line and is not there: what there is in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup

from upwell._author.out_of_scope import APPS, ARTIFACTS, CONDITIONS, MODELS
from upwell.errors import UsageError

_CONFIG = "write upwell.toml: mode, stage, region, profile, root_dir, state_dir; `upwell get config` shows them"
_PROJECTS = "there are no projects; deploy a stage for each, and choose one with --stage"
_SECRETS = "secrets are in AWS Secrets Manager under the deployment's prefix; see `aws secretsmanager help`"
_SETTINGS = "a deployment's settings are in cdk.json; `cdk deploy` changes them"
_TRIGGERS = "a rule of Amazon EventBridge starts runs at times or on events; see `aws events help`"

COMMANDS = {
    "build": "nothing is built: no images are made, and each run brings its code; `upwell deploy` makes pools",
    "create": "upwell creates pools alone; `upwell deploy FILE.py` does",
    "create artifact": ARTIFACTS,
    "create config": _CONFIG,
    "create project": _PROJECTS,
    "create secret": _SECRETS,
    "create trigger": _TRIGGERS,
    "delete app": APPS,
    "delete local-cache": "`upwell cache rm --all` removes the results that are kept",
    "delete secret": _SECRETS,
    "delete trigger": _TRIGGERS,
    "edit": _SETTINGS,
    "gen": "docs/cli.md shows every command; `upwell COMMAND --help` describes one",
    "get app": APPS,
    "get artifact": ARTIFACTS,
    "get condition": CONDITIONS,
    "get logs": "`upwell logs RUN [ACTION]` prints what tasks have printed and logged",
    "get project": _PROJECTS,
    "get secret": _SECRETS,
    "get settings": _SETTINGS,
    "get task": "`upwell get tasks` lists what is deployed, `upwell run FILE.py` the tasks of a file",
    "get trigger": _TRIGGERS,
    "prefetch": MODELS,
    "proxy": APPS,
    "run python-script": "tasks are functions of a file: `upwell run FILE.py TASK`",
    "serve": APPS,
    "signal": CONDITIONS,
    "start": "`upwell console` shows runs, `upwell sandbox start` starts emulated AWS",
    "start devbox": "`upwell sandbox start` starts emulated AWS on this machine",
    "start tui": "`upwell console` shows runs in a browser; `upwell get run RUN --follow` follows one here",
    "stop": "`upwell sandbox stop` stops emulated AWS, `upwell abort RUN` ends a run",
    "update": "`upwell deploy FILE.py` updates pools, `cdk deploy` the platform",
    "update app": APPS,
    "update project": _PROJECTS,
    "update trigger": _TRIGGERS,
    "whoami": "`upwell doctor --backend aws` says who you are on AWS, and what you may do",
}
"""What is said in place of `no such command`."""

OPTIONS = {
    "--action-name": "runs are run again from their root; what is repeated follows from what failed",
    "--auth-type": "requests are signed with AWS credentials; --profile chooses them",
    "--config": _CONFIG,
    "--domain": _PROJECTS,
    "--endpoint": "there is no server; --backend, --stage, --region and --profile say where runs are",
    "--force-rerun-action": "runs are run again from their root; what is repeated follows from what failed",
    "--image": "no images are made; an environment's image= names its packages",
    "--image-builder": "no images are made; an environment's image= names its packages",
    "--insecure": "there is no server; --backend, --stage, --region and --profile say where runs are",
    "--local": "--backend local, which is the default, runs in this process",
    "--max-action-concurrency": "max_concurrency= of a task or an environment bounds how often it runs at once",
    "--org": _PROJECTS,
    "--output-format": "--json prints JSON",
    "--project": _PROJECTS,
    "--queue": "queue= of a task is kept for display; all pools have queues of their own",
    "--raw-data-path": "files go to the deployment's bucket, or to --state-dir",
    "--recover": "`upwell recover RUN` goes on with a run",
    "--service-account": "tasks have the role of their pool; see docs/deploying.md",
    "--tui": "--follow shows how the run goes, and `upwell console` shows it in a browser",
    "--version": "`upwell version` prints that of upwell; runs have none but their code",
}
"""The same for options that no command has."""


def instead_of(words: Sequence[str]) -> str | None:
    """Return what to say to a command that is not there; None where nothing is known of it."""
    for count in (2, 1):
        command = " ".join(words[:count])
        text = COMMANDS.get(command) or COMMANDS.get(command.removesuffix("s"))
        if text is not None:
            return f"there is no `upwell {command}`: {text}"
    return None


class Group(TyperGroup):
    """A group of commands that knows what people look for in it."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is named.

        Raises:
            UsageError: it is not there, and something else is.
        """
        if self.get_command(ctx, args[0]) is None:
            text = instead_of([*ctx.command_path.split()[1:], *args])
            if text is not None:
                raise UsageError(text)
        return super().resolve_command(ctx, args)
