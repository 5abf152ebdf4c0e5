"""Runs of the user's code that the console starts: by the command line, in processes that outlive it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any

from upwell._client.config import Config
from upwell._core.ports import StateStore
from upwell.errors import RunStateError

BEGUN_WITHIN_S = 60.0
LOOK_S = 0.1


@dataclass(slots=True)
class CommandLauncher:
    """Uses the command line of this installation, in the folder that the console was started in.

    Args:
        config: Whose backend the commands are for.
        store: Where it is seen that a run has begun.
    """

    config: Config
    store: StateStore

    async def recover(self, run_id: str, *, new_code: bool) -> None:
        """See `Launcher.recover`."""
        before = await self.store.get_run(run_id)
        generation = 0 if before is None else before.spec.generation

        async def has_begun() -> bool:
            run = await self.store.get_run(run_id)
            return run is not None and run.spec.generation > generation

        await self._start(["recover", run_id, *_new_code(new_code)], "", has_begun)

    async def rerun(self, run_id: str, inputs: Mapping[str, Any], *, new_code: bool, name: str) -> None:
        """See `Launcher.rerun`."""

        async def has_begun() -> bool:
            return await self.store.get_run(name) is not None

        command = ["rerun", run_id, "--name", name, *_new_code(new_code)]
        if inputs:
            command += ["--inputs", "-"]
        await self._start(command, json.dumps(dict(inputs)), has_begun)

    async def _start(self, command: list[str], text: str, has_begun: Callable[[], Awaitable[bool]]) -> None:
        """Start a command and wait until it has done what was asked.

        Raises:
            RunStateError: it ended without; the message is what it said.
        """
        with tempfile.TemporaryFile() as said:
            process = await asyncio.to_thread(self._popen, command, text, said)
            for _ in range(round(BEGUN_WITHIN_S / LOOK_S)):
                has_ended = process.poll() is not None
                if await has_begun():
                    _reap(process)
                    return
                if has_ended:
                    raise RunStateError(_last_error(said))
                await asyncio.sleep(LOOK_S)
        process.terminate()
        _reap(process)
        raise RunStateError(f"`upwell {' '.join(command)}` did not begin within {BEGUN_WITHIN_S:g} s")

    def _popen(self, command: list[str], text: str, said: IO[bytes]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "upwell._cli", *command, *self._where()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,  # Ctrl-C ends the console, and not what it has started
        )
        assert process.stdin is not None
        with process.stdin as stdin:
            stdin.write(text.encode())
        return process

    def _where(self) -> list[str]:
        config = self.config
        options = {
            "--backend": config.mode,
            "--state-dir": str(config.state_dir),
            "--stage": config.stage,
            "--region": config.region,
            "--profile": config.profile,
        }
        return [part for name, value in options.items() if value for part in (name, value)]


def _new_code(wanted: bool) -> list[str]:
    return ["--new-code"] if wanted else []


def _reap(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process in a thread that keeps nobody from ending."""
    threading.Thread(target=process.wait, daemon=True).start()


def _last_error(said: IO[bytes]) -> str:
    said.seek(0)
    lines = [line.strip() for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (errors or lines or ["the command ended and said nothing"])[-1]
