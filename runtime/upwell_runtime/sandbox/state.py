"""Where a sandbox keeps itself: the state directory and the state file that clients read."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

STATE_VERSION = 1


class SandboxError(Exception):
    """The sandbox cannot do what was asked; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxState:
    """What a running sandbox tells its clients: the content of `state.json`."""

    pid: int
    """The supervisor. Valid only together with `started`: a recycled pid is not the sandbox."""
    started: str
    """Start time of that process, as the system tells it."""
    reaper_pid: int
    """The process that ends what a killed supervisor leaves."""
    endpoint: str
    """URL of the emulated AWS."""
    region: str
    account: str
    environment: dict[str, str]
    """`AWS_*` variables with which boto3 talks to the emulated AWS. The credentials are dummies."""
    control_url: str
    """URL of the control endpoint (`GET /status`, `POST /pools`, `POST /stop`)."""
    token: str
    """Bearer token of the control endpoint."""
    settings: dict[str, str]
    """The deployed platform's settings, as `Settings.from_env` reads them."""
    pools: dict[str, dict[str, Any]]
    """Pools created on demand: name -> {kind, parameters}."""
    log: str
    """The supervisor's log; the logs of its children are beside it."""
    version: int = STATE_VERSION

    @property
    def alive(self) -> bool:
        """Whether the supervisor that wrote this state still runs."""
        return process_started(self.pid) == self.started


@dataclass(frozen=True, slots=True)
class StateDir:
    """The files of one sandbox."""

    root: Path

    @property
    def state_file(self) -> Path:
        """The state that clients read; present while the sandbox is ready."""
        return self.root / "state.json"

    @property
    def logs(self) -> Path:
        """One log file per function, worker pool and service process."""
        return self.root / "logs"

    @property
    def log(self) -> Path:
        """The supervisor's own log."""
        return self.logs / "supervisor.log"

    @property
    def work(self) -> Path:
        """Working directory of the children: empty, so that nothing is importable by accident."""
        return self.root / "work"

    @property
    def temporary(self) -> Path:
        """TMPDIR of the children."""
        return self.root / "tmp"

    def create(self) -> None:
        """Make the folders. The directory is private: the state file holds a token."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.logs, self.work, self.temporary):
            folder.mkdir(exist_ok=True)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock that makes concurrent starts and stops take turns."""
        self.create()
        with open(self.root / "lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def write(self, state: SandboxState) -> None:
        """Replace the state file at once: a reader sees the old or the new state, never a part."""
        draft = self.root / f"state.json.{os.getpid()}"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(state), file, indent=2)
        os.replace(draft, self.state_file)

    def read(self) -> SandboxState | None:
        """Return the state, or None when no sandbox of this version has written one."""
        try:
            raw = json.loads(self.state_file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        if not isinstance(raw, dict) or raw.get("version") != STATE_VERSION:
            return None
        known = {field.name for field in fields(SandboxState)}
        return SandboxState(**{name: value for name, value in raw.items() if name in known})

    def forget(self) -> None:
        """Remove the state file: there is no sandbox here."""
        self.state_file.unlink(missing_ok=True)


def process_started(pid: int) -> str | None:
    """Return a mark of when a process started, or None when it is gone (or a zombie)."""
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return None
        # The name is in parentheses and may hold spaces; state and start time are fields 3 and 22.
        values = stat.rpartition(")")[2].split()
        return None if values[0] in "ZX" else values[19]
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return shown[1].strip() if len(shown) == 2 and not shown[0].startswith("Z") else None
