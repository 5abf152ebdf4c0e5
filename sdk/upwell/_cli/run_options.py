"""Options of `upwell run`. They may stand before FILE, before TASK, or among the task's own."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from upwell._cli.lengths import timeout_seconds
from upwell.errors import UsageError

PANEL = "Options of the run"
Shown = Literal["text", "json", "lines"]
"""For a person; one JSON document at the end; a JSON document in a line for each change, and for the end."""
Follow = Annotated[
    bool | None,
    typer.Option("--follow", "-f", help="Follow the run to its end. Local runs do.", rich_help_panel=PANEL),
]
RootDir = Annotated[
    Path | None,
    typer.Option("--root-dir", help="Where the code starts: module names, the bundle.", rich_help_panel=PANEL),
]
RunTimeout = Annotated[
    str | None,
    typer.Option(
        "--timeout",
        metavar="90s|5m|2h",
        help="Longest time that the run may take: it times out then, exit code 1.",
        rich_help_panel=PANEL,
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="KEY=VALUE", help="For finding the run again.", rich_help_panel=PANEL),
]
EnvVars = Annotated[
    list[str] | None,
    typer.Option(
        "--env", metavar="KEY=VALUE", help="Environment variable of every task.", rich_help_panel=PANEL
    ),
]
MaxActions = Annotated[
    int | None,
    typer.Option(
        "--max-actions", min=1, help="Actions that the run may have; else 1,000,000.", rich_help_panel=PANEL
    ),
]
MaxDepth = Annotated[
    int | None,
    typer.Option(
        "--max-depth", min=1, help="Levels of tasks that call tasks; else 1,000.", rich_help_panel=PANEL
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFlags:
    """What was given of the options of `upwell run`; None is not given."""

    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="RUN",
            help="Run id; naming a run that did not finish goes on with it.",
            rich_help_panel=PANEL,
        ),
    ] = None
    follow: Follow = None
    json: Annotated[
        bool | None,
        typer.Option(
            "--json",
            help="Print the result as JSON; with --follow, a line for each change.",
            rich_help_panel=PANEL,
        ),
    ] = None
    quiet: Annotated[
        bool | None,
        typer.Option(
            "--quiet",
            "-q",
            help="Keep what tasks of a local run print for `upwell logs`, and do not show it.",
            rich_help_panel=PANEL,
        ),
    ] = None
    root_dir: RootDir = None
    label: Labels = None
    env: EnvVars = None
    timeout: RunTimeout = None
    copy_style: Annotated[
        str | None,
        typer.Option(
            "--copy-style",
            metavar="loaded_modules|all|none",
            help="What the code bundle holds.",
            rich_help_panel=PANEL,
        ),
    ] = None
    new_code: Annotated[
        bool | None,
        typer.Option(
            "--new-code",
            help="With --name: a run that is gone on with gets the code as it is now.",
            rich_help_panel=PANEL,
        ),
    ] = None
    overwrite_cache: Annotated[
        bool | None,
        typer.Option("--overwrite-cache", help="Compute anew, keep the results.", rich_help_panel=PANEL),
    ] = None
    no_cache: Annotated[
        bool | None,
        typer.Option("--no-cache", help="Neither look up nor keep results.", rich_help_panel=PANEL),
    ] = None
    strict: Annotated[
        bool | None,
        typer.Option(
            "--strict",
            help="Fail an action whose replay makes other calls than its journal holds.",
            rich_help_panel=PANEL,
        ),
    ] = None
    max_actions: MaxActions = None
    max_depth: MaxDepth = None

    def merged(self, later: RunFlags) -> RunFlags:
        """Return these options, with those that were given later: repeated ones add up, others are replaced."""
        given = {f.name: getattr(later, f.name) for f in fields(later)}
        changes = {name: value for name, value in given.items() if value not in (None, [])}
        for name in ("label", "env"):
            if name in changes:
                changes[name] = [*(getattr(self, name) or []), *changes[name]]
        return replace(self, **changes)

    @property
    def shown(self) -> Shown:
        """How the run is shown: followed as JSON, it is a line for each change."""
        if not self.json:
            return "text"
        return "lines" if self.follow else "json"

    def timeout_s(self) -> float | None:
        """Return the timeout in seconds.

        Raises:
            UsageError: it is not a length of time.
        """
        return timeout_seconds(self.timeout)

    def style(self) -> Any:
        """Return the copy style.

        Raises:
            UsageError: there is no such style.
        """
        style = self.copy_style or "loaded_modules"
        if style not in ("loaded_modules", "all", "none"):
            raise UsageError(f"--copy-style {style!r} is none of loaded_modules, all, none")
        return style


def run_parameters(hidden: Collection[str] = ()) -> list[inspect.Parameter]:
    """Return the options as parameters of a command, without those whose names a task takes.

    Args:
        hidden: Option names, `--name`, that mean a parameter of the task.
    """
    hints = inspect.get_annotations(RunFlags, eval_str=True)
    return [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hints[f.name])
        for f in fields(RunFlags)
        if option_name(f.name) not in hidden
    ]


def pop_flags(values: dict[str, Any]) -> RunFlags:
    """Take the options out of what a command was called with."""
    return RunFlags(**{f.name: values.pop(f.name) for f in fields(RunFlags) if f.name in values})


def option_name(parameter: str) -> str:
    """Return the option of a parameter: `page_size` is `--page-size`."""
    return "--" + parameter.replace("_", "-")


def key_values(texts: list[str] | None, *, option: str) -> dict[str, str]:
    """Return `KEY=VALUE` texts as a dict.

    Raises:
        UsageError: one is not of that form.
    """
    found = {}
    for text in texts or []:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError(f"{option} {text!r} is not KEY=VALUE; write {option} team=data")
        found[key] = value
    return found
