"""The process that emulates AWS (ministack) on a loopback port."""

from __future__ import annotations

import asyncio
import socket
import sys

import aiohttp

from upwell_runtime.sandbox.children import Child, Children
from upwell_runtime.sandbox.state import SandboxError, StateDir

HOST = "127.0.0.1"
READY_WITHIN_S = 30.0
PORT_TRIES = 3


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class Emulator:
    """Runs ministack and knows when it is ready."""

    def __init__(self, children: Children, state_dir: StateDir, *, region: str, account: str) -> None:
        self._children = children
        self._dir = state_dir
        self._region = region
        self._account = account
        self._child: Child | None = None
        self.endpoint = ""
        """URL, known once started."""

    @property
    def child(self) -> Child:
        """The running process."""
        assert self._child is not None, "start() first"
        return self._child

    async def start(self) -> None:
        """Start the emulator on a free port and wait until it answers.

        Raises:
            SandboxError: it ended or did not answer; the log is named.
        """
        for _ in range(PORT_TRIES):
            port = free_port()
            self.endpoint = f"http://{HOST}:{port}"
            self._child = await self._children.start(
                "emulator",
                [sys.executable, "-m", "upwell_runtime.sandbox.emulator_process"],
                environment=self._environment(port),
                log_name="emulator",
            )
            if await self._ready():
                return
        raise SandboxError(
            f"the AWS emulator did not come up in {PORT_TRIES} tries; see {self._dir.logs / 'emulator.log'}"
        )

    async def stop(self) -> None:
        """End the emulator at once: nothing of it is kept."""
        if self._child is not None:
            await self._child.stop(0)

    def _environment(self, port: int) -> dict[str, str]:
        return {
            "GATEWAY_PORT": str(port),
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": self._region,
            "MINISTACK_ACCOUNT_ID": self._account,
            "AWS_ACCESS_KEY_ID": self._account,
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            # It would start and remove containers of a Docker that it finds; the sandbox runs processes.
            "DOCKER_HOST": f"unix://{self._dir.root}/no-docker.sock",
        }

    async def _ready(self) -> bool:
        """Wait until the health check answers; False when the process ends or takes too long."""
        deadline = asyncio.get_running_loop().time() + READY_WITHIN_S
        async with aiohttp.ClientSession() as session:
            while self.child.exit_code is None and asyncio.get_running_loop().time() < deadline:
                try:
                    async with session.get(f"{self.endpoint}/_ministack/health") as answer:
                        if answer.status == 200:
                            return True
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.02)
        await self.child.stop(0)
        return False
