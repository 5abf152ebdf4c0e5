"""Start, look at and stop a sandbox, from outside its processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from upwell_runtime.sandbox.children import base_environment
from upwell_runtime.sandbox.state import SandboxError, SandboxState, StateDir, process_started

START_WITHIN_S = 90.0
STOP_WITHIN_S = 20.0
ANSWER_WITHIN_S = 5.0
POLL_S = 0.05
LOG_LINES = 15


def start(state_dir: StateDir, arguments: Sequence[str]) -> tuple[SandboxState, bool]:
    """Return the running sandbox of a state directory, started if there was none.

    Args:
        state_dir: whose sandbox.
        arguments: options of `serve`, for a sandbox that is started.

    Returns:
        The state, and whether it was started now.

    Raises:
        SandboxError: it did not become ready; the end of its log is in the message.
    """
    with state_dir.lock():
        state = state_dir.read()
        if state is not None and state.alive:
            if ask(state, "GET", "/status") is not None:
                return state, False
            _end(state)
        state_dir.forget()
        return _spawn(state_dir, arguments), True


def _spawn(state_dir: StateDir, arguments: Sequence[str]) -> SandboxState:
    state_dir.log.unlink(missing_ok=True)
    with open(state_dir.log, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "upwell_runtime.sandbox", "serve", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=state_dir.work,
            env=base_environment(state_dir),
            start_new_session=True,
        )
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        code = process.poll()
        state = state_dir.read()
        if state is not None and state.pid == process.pid:
            # Detached on purpose: without this, Popen warns that it still runs.
            process.returncode = 0
            return state
        if code is not None:
            raise SandboxError(f"the sandbox ended with exit code {code}\n{_log_end(state_dir)}")
        time.sleep(POLL_S)
    process.terminate()
    process.wait(STOP_WITHIN_S)
    raise SandboxError(f"the sandbox was not ready within {START_WITHIN_S:.0f} s\n{_log_end(state_dir)}")


def stop(state_dir: StateDir) -> bool:
    """Stop the sandbox of a state directory and wait until all its processes are gone.

    Returns:
        Whether there was one.
    """
    with state_dir.lock():
        state = state_dir.read()
        if state is None:
            return False
        was_alive = state.alive
        _end(state)
        state_dir.forget()
        return was_alive


def status(state_dir: StateDir) -> dict[str, Any] | None:
    """Return what runs in the sandbox of a state directory, or None when there is none."""
    state = state_dir.read()
    if state is None or not state.alive:
        return None
    live = ask(state, "GET", "/status")
    return None if live is None else describe(state) | live


def describe(state: SandboxState) -> dict[str, Any]:
    """Return what a client is told about a sandbox."""
    return {
        "endpoint": state.endpoint,
        "region": state.region,
        "account": state.account,
        "pid": state.pid,
        "environment": state.environment,
        "settings": state.settings,
        "control_url": state.control_url,
        "log": state.log,
    }


def ask(state: SandboxState, method: str, path: str, body: Any = None) -> Any:
    """Send a request to the control endpoint; None when the sandbox does not answer.

    Raises:
        SandboxError: it refused; the message is its own.
    """
    request = urllib.request.Request(
        state.control_url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {state.token}", "Content-Type": "application/json"},
    )
    # No proxy of the user's may get in the way of loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=ANSWER_WITHIN_S if method == "GET" else None) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as e:
        with e:
            raise SandboxError(json.load(e).get("error", str(e))) from e
    except (OSError, ValueError):
        return None


def _end(state: SandboxState) -> None:
    """End the supervisor, by force if need be, and wait for it and its reaper."""
    if state.alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(state.pid, signal.SIGTERM)
        if not _gone(state.pid, state.started, STOP_WITHIN_S):
            with contextlib.suppress(ProcessLookupError):
                os.kill(state.pid, signal.SIGKILL)
            _gone(state.pid, state.started, STOP_WITHIN_S)
    # The reaper goes last: when it is gone, so is every process that it knew of.
    if (started := process_started(state.reaper_pid)) and _is_reaper(state.reaper_pid):
        _gone(state.reaper_pid, started, STOP_WITHIN_S)


def _is_reaper(pid: int) -> bool:
    """Whether a pid is a reaper and not a process that got its number later."""
    shown = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "sandbox/reaper.py" in shown.stdout


def _gone(pid: int, started: str, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while process_started(pid) == started:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _log_end(state_dir: StateDir) -> str:
    with contextlib.suppress(FileNotFoundError):
        lines = state_dir.log.read_text(errors="replace").splitlines()
        return "\n".join([*lines[-LOG_LINES:], f"(more in {state_dir.log})"])
    return ""
