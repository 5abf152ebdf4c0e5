"""Where runs go when the program does not say: `init`, `upwell.toml`, the environment."""

from __future__ import annotations

import os
import tomllib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from upwell._author.context import Mode
from upwell._author.logs import Level, LogFormat, configure_logging
from upwell._author.syncify import in_both
from upwell._types.main_module import set_root_dir
from upwell.errors import UsageError

MODES: dict[str, Mode] = {"local": "local", "sandbox": "sandbox", "aws": "aws"}
CONFIG_NAMES = ("upwell.toml", "pyproject.toml")
CONSOLE_HOST, CONSOLE_PORT = "127.0.0.1", 8640
"""Where `upwell console` listens, unless the port is in use or another is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How this process reaches its backend.

    Attributes:
        mode: `local`, `sandbox` or `aws`.
        stage: Stage of the deployment: its stack is `upwell-<stage>`.
        region: AWS region; None takes boto3's own choice.
        profile: AWS profile; None takes boto3's own choice.
        root_dir: Where code bundles start; None takes the folder of the file that is run.
        state_dir: Where the local backend and the sandbox keep their state.
        console_url: Address of a console, for `Run.url`; None takes that of `upwell console` on this machine,
            and on AWS the run's execution in the console of Step Functions.
        strict: Whether runs are strict that do not say; see `RunOptions.strict`.
        quiet: Whether what tasks of local runs print and log is kept alone, and not shown.
        project: What `current_project()` gives; it has no other meaning.
        domain: What `current_domain()` gives; it has no other meaning.
    """

    mode: Mode = "local"
    stage: str = "dev"
    region: str | None = None
    profile: str | None = None
    root_dir: Path | None = None
    state_dir: Path = Path(".upwell")
    console_url: str | None = None
    strict: bool = False
    quiet: bool = False
    project: str = ""
    domain: str = ""

    @classmethod
    def auto(cls, path: str | Path | None = None) -> Config:
        """Return what `init_from_config(path)` would set."""
        return _changed(**_values(path))


def console_page(console_url: str | None, run_id: str) -> str:
    """Return the address of a run's page in a console; None is that of this machine."""
    base = console_url or f"http://{CONSOLE_HOST}:{CONSOLE_PORT}"
    return f"{base.rstrip('/')}/runs/{quote(run_id, safe='')}"


_current: Config | None = None


def current_config() -> Config:
    """Return what `init` set, or else what `UPWELL_BACKEND`, `UPWELL_STAGE` and `UPWELL_STATE_DIR` say."""
    return _current if _current is not None else from_environment(os.environ)


def _set(config: Config) -> None:
    global _current
    _current = config


def be_quiet() -> None:
    """Do not show what tasks of local runs of this process print; see `Config.quiet`."""
    _set(replace(current_config(), quiet=True))


def parse_mode(mode: str) -> Mode:
    """Return a mode by name; `remote` is the configured cloud.

    Raises:
        UsageError: there is no such mode.
    """
    if mode == "remote":
        return "sandbox" if _current is not None and _current.mode == "sandbox" else "aws"
    if mode not in MODES:
        raise UsageError(f"mode={mode!r} is none of 'local', 'sandbox', 'aws' (or its alias 'remote')")
    return MODES[mode]


@in_both
def init(
    *,
    mode: str | None = None,
    stage: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    root_dir: str | Path | None = None,
    state_dir: str | Path | None = None,
    console_url: str | None = None,
    strict: bool | None = None,
    quiet: bool | None = None,
    project: str | None = None,
    domain: str | None = None,
    log_level: Level | None = None,
    user_log_level: Level | None = None,
    log_format: LogFormat = "console",
    **ignored: Any,
) -> None:
    """Set where runs of this process go, and what is logged. Without it: the environment, and `local`.

    Settings of other platforms (`endpoint`, `org`, `api_key`, ...) are accepted and have no meaning here.

    Raises:
        UsageError: `mode` is unknown.
    """
    configure_logging(log_level=log_level, user_log_level=user_log_level, log_format=log_format)
    if root_dir is not None:
        set_root_dir(Path(root_dir))
    _set(
        _changed(
            mode=mode,
            stage=stage,
            region=region,
            profile=profile,
            root_dir=root_dir,
            state_dir=state_dir,
            console_url=console_url,
            strict=strict,
            quiet=quiet,
            project=project,
            domain=domain,
        )
    )


def _changed(**given: Any) -> Config:
    """Return the environment's configuration with what is given, unless it is None, in its place."""
    convert = {"mode": parse_mode, "root_dir": lambda path: Path(path).absolute(), "state_dir": Path}
    changes = {
        name: convert.get(name, lambda value: value)(value)
        for name, value in given.items()
        if value is not None
    }
    return replace(from_environment(os.environ), **cast(dict[str, Any], changes))


@in_both
def init_from_config(
    path_or_config: str | Path | Config | None = None, root_dir: str | Path | None = None, **ignored: Any
) -> None:
    """Set where runs go from a TOML file: `upwell.toml`, or `[tool.upwell]` of `pyproject.toml`.

    Without a path, the first of these from the working directory upwards is read; that there is none is fine.
    So it is for the path of a YAML file, which configures another platform. A `Config` is taken as it is.

    Raises:
        UsageError: the file is missing or holds something that is not a setting.
    """
    if isinstance(path_or_config, Config):
        values = {f.name: getattr(path_or_config, f.name) for f in fields(Config)}
    else:
        values = _values(path_or_config)
    init(**{**values, **({"root_dir": root_dir} if root_dir is not None else {}), **ignored})


@in_both
def init_in_cluster(**settings: Any) -> None:
    """Do what `init` does; a task needs nothing of it, it calls other tasks as they are."""
    init(**settings)


@in_both
def init_passthrough(endpoint: str | None = None, **settings: Any) -> None:
    """Do what `init` does; requests are signed with the credentials that boto3 finds, nobody else's."""
    init(**settings)


@in_both
def init_from_api_key(api_key: str | None = None, **settings: Any) -> None:
    """Do what `init` does; there are no API keys here, requests are signed with the credentials boto3 finds."""
    init(**settings)


def current_project() -> str:
    """Return the project that `init` was given; empty otherwise."""
    return current_config().project


def current_domain() -> str:
    """Return the domain that `init` was given; empty otherwise."""
    return current_config().domain


def is_control_plane_available() -> bool:
    """Say whether runs go anywhere but to this process."""
    return current_config().mode != "local"


def from_environment(env: Mapping[str, str]) -> Config:
    """Return the configuration of an environment."""
    mode = env.get("UPWELL_BACKEND", "local")
    return Config(
        mode=parse_mode(mode),
        stage=env.get("UPWELL_STAGE", "dev"),
        region=env.get("AWS_REGION"),  # boto3 itself reads AWS_DEFAULT_REGION alone
        state_dir=Path(env.get("UPWELL_STATE_DIR", ".upwell")),
        console_url=env.get("UPWELL_CONSOLE_URL") or None,
        strict=_is_set(env, "UPWELL_STRICT"),
        quiet=_is_set(env, "UPWELL_QUIET"),
    )


def _is_set(env: Mapping[str, str], name: str) -> bool:
    return env.get(name, "") not in ("", "0", "false")


def _values(path: str | Path | None) -> dict[str, Any]:
    if path is not None and Path(path).suffix not in {".yaml", ".yml"}:
        return _read(Path(path))
    if path is not None:
        warnings.warn(f"{path} configures another platform and is ignored; upwell reads TOML", stacklevel=4)
    return _search(Path.cwd())


def _search(start: Path) -> dict[str, Any]:
    for folder in (start, *start.parents):
        for name in CONFIG_NAMES:
            if (folder / name).is_file() and (values := _read(folder / name)):
                return values
    return {}


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UsageError(f"configuration file {str(path)!r} does not exist")
    try:
        values = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as e:
        raise UsageError(f"{path} is not TOML: {e}") from e
    if path.name == "pyproject.toml":
        values = values.get("tool", {}).get("upwell", {})
    unknown = set(values) - {f.name for f in fields(Config)}
    if unknown:
        known = ", ".join(f.name for f in fields(Config))
        raise UsageError(f"{path}: unknown setting {sorted(unknown)[0]!r}; the settings are {known}")
    return values
