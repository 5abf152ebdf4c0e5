"""Options that every command takes: where runs are, and how errors are shown."""

from __future__ import annotations

import functools
import inspect
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from upwell._client.config import Config

PANEL = "Where runs are (any position)"
_ABOUT_RUNS = re.compile("`upwell ((?:get|logs|abort|recover|rerun|replay|why|cache) [^`]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What was given of the options that every command takes; None is not given."""

    backend: Annotated[
        str | None,
        typer.Option(
            "--backend",
            metavar="local|sandbox|aws",
            help="Backend; else UPWELL_BACKEND, upwell.toml, local.",
            rich_help_panel=PANEL,
        ),
    ] = None
    state_dir: Annotated[
        Path | None,
        typer.Option(
            "--state-dir", help="State of local runs and of the sandbox; else .upwell", rich_help_panel=PANEL
        ),
    ] = None
    stage: Annotated[
        str | None,
        typer.Option("--stage", help="Stage of the deployment on AWS; else dev.", rich_help_panel=PANEL),
    ] = None
    region: Annotated[str | None, typer.Option("--region", help="AWS region.", rich_help_panel=PANEL)] = None
    profile: Annotated[str | None, typer.Option("--profile", help="AWS profile.", rich_help_panel=PANEL)] = None
    debug: Annotated[
        bool | None,
        typer.Option("--debug", help="Show upwell's own tracebacks and logs.", rich_help_panel=PANEL),
    ] = None

    def merged(self, later: Shared) -> Shared:
        """Return these options, replaced by those that are given later on the command line."""
        given = {f.name: getattr(later, f.name) for f in fields(later) if getattr(later, f.name) is not None}
        return replace(self, **given)


@dataclass(slots=True)
class Session:
    """One use of the command line; the object of its contexts.

    Attributes:
        shared: The shared options that were read so far.
    """

    shared: Shared

    def take(self, later: Shared) -> None:
        """Add options that were read."""
        self.shared = self.shared.merged(later)

    @property
    def debug(self) -> bool:
        """Whether upwell's own tracebacks are wanted."""
        return bool(self.shared.debug)

    def configure(self) -> Config:
        """Make this process's configuration of the options, then the environment, then upwell.toml.

        Raises:
            UsageError: the backend is unknown, or upwell.toml cannot be used.
        """
        from upwell._client.config import MODES, current_config, init, init_from_config
        from upwell.errors import UsageError

        shared, env = self.shared, os.environ
        init_from_config()
        backend = shared.backend or env.get("UPWELL_BACKEND") or current_config().mode
        if backend not in (*MODES, "remote"):
            where = "--backend" if shared.backend else "UPWELL_BACKEND"
            raise UsageError(f"{where} {backend!r} is no backend; use local, sandbox or aws")
        configured = current_config()
        init(
            mode=backend,
            stage=shared.stage or env.get("UPWELL_STAGE") or configured.stage,
            region=shared.region or configured.region or env.get("AWS_REGION"),  # boto3 has another name for it
            profile=shared.profile or configured.profile,
            root_dir=configured.root_dir,
            log_level="DEBUG" if self.debug else None,
            strict=configured.strict or None,
            quiet=configured.quiet or None,
            state_dir=shared.state_dir or env.get("UPWELL_STATE_DIR") or configured.state_dir,
            console_url=env.get("UPWELL_CONSOLE_URL") or configured.console_url,
        )
        return current_config()


def hint(command: str) -> str:
    """Return a command line to suggest, with the backend in it where one must say it."""
    from upwell._client.config import current_config

    mode = current_config().mode
    where = "" if mode == os.environ.get("UPWELL_BACKEND", "local") else f" --backend {mode}"
    return f"`upwell {command}{where}`"


def with_backend(text: str) -> str:
    """Return a message in which the commands it suggests about runs say the backend, where they must."""

    def command(found: re.Match[str]) -> str:
        return found[0] if "--backend" in found[0] else hint(found[1])

    return _ABOUT_RUNS.sub(command, text)


def shared_options(func: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the shared options; its first parameter gets the `Session` with all that were given."""
    signature = inspect.signature(func, eval_str=True)
    own = list(signature.parameters.values())[1:]
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    every = [context, *own, *shared_parameters()]

    @functools.wraps(func)
    def command(**values: Any) -> Any:
        session: Session = values.pop("ctx").obj
        session.take(Shared(**{f.name: values.pop(f.name) for f in fields(Shared)}))
        return func(session, **values)

    return with_parameters(command, every)


def shared_parameters() -> list[inspect.Parameter]:
    """Return the shared options as parameters of a command."""
    hints = inspect.get_annotations(Shared, eval_str=True)
    return [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hints[f.name])
        for f in fields(Shared)
    ]


def with_parameters(func: Callable[..., Any], parameters: list[inspect.Parameter]) -> Callable[..., Any]:
    """Return a function that shows typer these parameters and is called with them by name."""
    keyword_only = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    func.__signature__ = inspect.Signature(keyword_only)  # type: ignore[attr-defined]  # what inspect looks at
    func.__annotations__ = {p.name: p.annotation for p in parameters}
    return func
