"""The sandbox, from the client's side: started as a process, asked over loopback. Nothing of it is imported."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from upwell._core.keys import execute_function
from upwell._core.log_lines import LogQuery
from upwell._local.log_files import EARLIER
from upwell.errors import UpwellError, UsageError

ASK_TIMEOUT_S = 120.0
STATUS_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A running sandbox, as its state file tells."""

    endpoint: str
    region: str
    environment: dict[str, str]
    settings: dict[str, str]
    control_url: str
    token: str
    log: str

    def ensure_pool(self, name: str, kind: str, parameters: dict[str, Any]) -> None:
        """See to it that a pool is there.

        Raises:
            UpwellError: the sandbox could not create it.
        """
        body = json.dumps({"name": name, "kind": kind, "parameters": parameters}).encode()
        try:
            self._ask("POST", "/pools", body, timeout_s=ASK_TIMEOUT_S)
        except urllib.error.HTTPError as e:
            raise UpwellError(f"the sandbox could not create pool {name!r}: {e.read().decode()}") from e
        except urllib.error.URLError as e:
            raise UpwellError(
                f"the sandbox at {self.control_url} does not answer ({e.reason}); `upwell sandbox start`"
            ) from e

    def log_files(self, prefix: str, query: LogQuery) -> list[Path]:
        """Return the files that have lines of a query: what the functions and workers of its pools wrote.

        Args:
            prefix: Of the deployment's resources.
            query: Names the pools.
        """
        folder = Path(self.log).parent  # a file for each of them, beside the supervisor's
        names = [name for pool in query.pools for name in (execute_function(prefix, pool), f"{prefix}-{pool}")]
        return [folder / f"{name}.log{age}" for name in names for age in (EARLIER, "")]

    def status(self) -> dict[str, Any]:
        """Return what runs in it: pools, workers, executors, and how much the functions were used.

        Raises:
            OSError, HTTPException: it does not answer.
        """
        found: dict[str, Any] = json.loads(self._ask("GET", "/status", None, timeout_s=STATUS_TIMEOUT_S))
        return found

    def answers(self) -> bool:
        """Whether it is there and well."""
        try:
            self.status()
        except (OSError, HTTPException):  # refused, timed out, or somebody else's port by now
            return False
        return True

    def _ask(self, method: str, path: str, body: bytes | None, *, timeout_s: float) -> bytes:
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(self.control_url + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            content: bytes = answer.read()
        return content


def sandbox_command(state_dir: Path, *arguments: str) -> list[str]:
    """Return the command line of the sandbox of a state folder."""
    folder = str(state_dir.absolute() / "sandbox")
    return [sys.executable, "-m", "upwell_runtime.sandbox", *arguments, "--dir", folder]


def check_installed(done: subprocess.CompletedProcess[str]) -> None:
    """Raise `UsageError` if the sandbox's command line failed for want of its packages."""
    if "No module named" in done.stderr:
        missing = done.stderr.strip().splitlines()[-1]
        raise UsageError(f"the sandbox is not installed ({missing}); pip install 'upwell[sandbox]'")


def started_sandbox(state_dir: Path) -> Sandbox:
    """Return the sandbox of a state folder, started if it does not run.

    Raises:
        UsageError: the sandbox's packages are not installed.
        UpwellError: it did not start.
    """
    try:
        running = read_sandbox(state_dir)
    except UpwellError:
        pass
    else:
        if running.answers():
            return running
    command = sandbox_command(state_dir, "start", "--json")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        check_installed(done)
        raise UpwellError(f"the sandbox did not start: {done.stderr.strip()}")
    return read_sandbox(state_dir)


def read_sandbox(state_dir: Path) -> Sandbox:
    """Return what the state file of a running sandbox says.

    Raises:
        UpwellError: there is none.
    """
    file = state_dir.absolute() / "sandbox" / "state.json"
    try:
        state = json.loads(file.read_text())
        return Sandbox(**{name: state[name] for name in Sandbox.__dataclass_fields__})
    except (FileNotFoundError, KeyError, json.JSONDecodeError):  # none, or of another version
        raise UpwellError(f"no sandbox runs in {file.parent}; `upwell sandbox start` starts one") from None
