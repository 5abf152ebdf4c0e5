"""What can be said about a run besides its task and inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from upwell._author.context import Mode

CopyStyle = Literal["loaded_modules", "all", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options of `with_runcontext`.

    Attributes:
        mode: Backend; None takes the configured one.
        name: Run id; None makes one. Naming a run that did not finish goes on with it.
        custom_context: Metadata that every task of the run sees.
        env_vars: Environment variables of every task of the run.
        labels: For finding the run again.
        overwrite_cache: Ignore cache hits, keep results.
        disable_run_cache: Neither look up nor keep results.
        copy_style: What the code bundle holds: the modules imported from below the root folder, all files below
            it (honouring .gitignore), or nothing.
        root_dir: Where the bundle starts.
        new_code: Whether a run that is gone on with gets the code as it is now; else it stays on its own.
        timeout: Longest time that the run may take, in seconds.
        strict: Whether a replay that makes other calls than its journal holds fails the action, rather than
            warn; None takes what `UPWELL_STRICT` says.
        max_actions: Actions that the run may have; None takes the deployment's setting, one million by default.
        max_depth: Levels of parents that an action may have above it; None takes the deployment's setting.
    """

    mode: Mode | None = None
    name: str | None = None
    custom_context: Mapping[str, str] = field(default_factory=dict)
    env_vars: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    overwrite_cache: bool = False
    disable_run_cache: bool = False
    copy_style: CopyStyle = "loaded_modules"
    root_dir: Path | None = None
    new_code: bool = False
    timeout: float | timedelta | None = None
    strict: bool | None = None
    max_actions: int | None = None
    max_depth: int | None = None

    @property
    def cache_mode(self) -> str:
        """`use`, `overwrite` or `off`."""
        return "off" if self.disable_run_cache else "overwrite" if self.overwrite_cache else "use"

    @property
    def timeout_s(self) -> float | None:
        """The timeout in seconds."""
        return self.timeout.total_seconds() if isinstance(self.timeout, timedelta) else self.timeout
