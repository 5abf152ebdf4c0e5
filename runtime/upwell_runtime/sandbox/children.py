"""Child processes that cannot outlive the sandbox."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from upwell._aws.meter import METER_FILE
from upwell_runtime.sandbox import launcher, reaper
from upwell_runtime.sandbox.state import StateDir

LOG_BYTES_MAX = 20_000_000
"""A log that is larger when looked at is kept once as `.1` and begins anew."""
PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    METER_FILE,
)
"""Variables of the user that children get. No others: real credentials must not reach emulated code."""

log = logging.getLogger(__name__)


class Child:
    """A process in a group of its own."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, children: Children) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._children = children
        self._exit = asyncio.create_task(self._wait())

    async def _wait(self) -> int:
        code = await self._process.wait()
        # What the process itself started shares its group and has no use without it.
        self.signal_group(signal.SIGKILL)
        self._children.gone(self)
        return code

    @property
    def exit_code(self) -> int | None:
        """The exit code (negative: a signal), or None while the process runs."""
        return self._exit.result() if self._exit.done() else None

    async def wait(self) -> int:
        """Wait for the end of the process and return its exit code."""
        return await asyncio.shield(self._exit)

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the process and all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def stop(self, grace_s: float) -> int:
        """Send SIGTERM to the process, after the grace SIGKILL to its group, and return the exit code."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(self.wait(), grace_s)
        self.signal_group(signal.SIGKILL)
        return await self.wait()


class Children:
    """Starts processes, keeps the reaper's list, and owns their log files."""

    def __init__(self, state_dir: StateDir) -> None:
        """Start the reaper. Logs, working directory and temporary files are in the state directory."""
        self._dir = state_dir
        self.environment = base_environment(state_dir)
        """Variables that every child gets; the command's own come on top."""
        self._alive: set[Child] = set()
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(reaper.__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    @property
    def reaper_pid(self) -> int:
        """The reaper's process."""
        return self._reaper.pid

    async def start(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str], log_name: str
    ) -> Child:
        """Start a command in a process group of its own, writing to `logs/<log_name>.log`."""
        with (self._dir.logs / f"{log_name}.log").open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(launcher.__file__), str(os.getpid())),
                *command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._dir.work,
                env=self.environment | dict(environment),
                process_group=0,
            )
        child = Child(name, process, self)
        self._alive.add(child)
        self._tell_reaper(f"+{child.pid}")
        return child

    def gone(self, child: Child) -> None:
        """Take a child that has ended off the lists."""
        self._alive.discard(child)
        self._tell_reaper(f"-{child.pid}")

    async def stop_all(self, grace_s: float) -> None:
        """Stop every child, all at the same time."""
        await asyncio.gather(*(child.stop(grace_s) for child in list(self._alive)))

    def close(self) -> None:
        """Let the reaper go (it ends what is still on its list) and wait for it."""
        with contextlib.suppress(BrokenPipeError):
            self._reaper.communicate(timeout=5)

    def trim_logs(self) -> None:
        """Begin the logs anew that have grown too large. Writers append, so they need not know."""
        for path in self._dir.logs.glob("*.log"):
            if path.stat().st_size > LOG_BYTES_MAX:
                shutil.copyfile(path, path.with_suffix(".log.1"))
                os.truncate(path, 0)

    def _tell_reaper(self, line: str) -> None:
        assert self._reaper.stdin is not None
        try:
            print(line, file=self._reaper.stdin, flush=True)
        except (BrokenPipeError, ValueError):
            log.warning("the reaper is gone; a crash of the supervisor would leave processes")


def base_environment(state_dir: StateDir) -> dict[str, str]:
    """Return the variables that a child needs to run this interpreter with these packages."""
    env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    env |= {"TMPDIR": str(state_dir.temporary), "TZ": "UTC", "PYTHONUNBUFFERED": "1"}
    env["PYTHONPATH"] = os.pathsep.join(import_path())
    if sys.dont_write_bytecode:
        # Children start often: without compiled code each would compile boto3 anew (1.3 s instead of 0.5).
        env["PYTHONPYCACHEPREFIX"] = os.environ.get("PYTHONPYCACHEPREFIX", str(state_dir.root / "pycache"))
    elif prefix := sys.pycache_prefix:
        env["PYTHONPYCACHEPREFIX"] = prefix
    return env


def import_path() -> list[str]:
    """Return absolute folders from which this process imports, its packages' first and the cwd left out."""
    import upwell
    import upwell_runtime

    packages = [Path(str(module.__file__)).parent.parent for module in (upwell, upwell_runtime)]
    given = [Path(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return list(dict.fromkeys(str(path.resolve()) for path in [*packages, *given]))
