"""What can be said about a run besides its task and inputs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from upwell._author.context import Mode
from upwell._author.options import warn_ignored

NO_MEANING = frozenset(
    {
        "annotations",
        "cache_lookup_scope",
        "copy_bundle_to",
        "domain",
        "org",
        "preserve_original_types",
        "project",
        "queue",
        "reset_root_logger",
        "run_base_dir",
        "service_account",
        "tracked",
        "tracked_strict",
        "version",
    }
)
"""Options of other platforms that change nothing here."""
NOT_DONE = (
    "debug",
    "dry_run",
    "interactive_mode",
    "interruptible",
    "max_action_concurrency",
    "notifications",
    "raw_data_path",
    "run_start_time",
)
"""Options that would change something, and are not acted on: giving one is warned of."""
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


def check_other_options(given: Mapping[str, object]) -> None:
    """Warn of options of other platforms that are not acted on.

    Raises:
        TypeError: there is no such option, here or elsewhere.
    """
    for name in given:
        if name not in NO_MEANING and name not in NOT_DONE:
            close = difflib.get_close_matches(name, RunOptions.__dataclass_fields__, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"with_runcontext() got an unexpected keyword argument {name!r}{hint}")
    warn_ignored("with_runcontext", {name: given.get(name) or None for name in NOT_DONE})
