"""One process of a function, behind its end of the Runtime API."""

from __future__ import annotations

import asyncio
import signal
import sys
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from upwell_runtime.sandbox.children import Child, Children
from upwell_runtime.sandbox.invocation import Invocation, InvocationError
from upwell_runtime.sandbox.runtime_api import RuntimeApi


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """A deployed function, as far as running it goes."""

    name: str
    arn: str
    handler: str
    timeout_s: float
    memory_mib: int
    environment: dict[str, str] = field(default_factory=dict)


class ExecutorOwner(Protocol):
    """Who hands an executor its work."""

    def on_ready(self, executor: Executor, *, first: bool) -> None:
        """The process asked for work; the first time, its start is over."""

    def on_end(self, duration_s: float) -> None:
        """An invocation has ended, after so long."""

    def on_exit(self, executor: Executor) -> None:
        """The process is gone."""


class Executor:
    """A real `awslambdaric` process and the one invocation that it works on."""

    def __init__(self, spec: FunctionSpec, owner: ExecutorOwner, api: RuntimeApi) -> None:
        self._spec = spec
        self._owner = owner
        self._api = api
        self._port = 0
        self._inbox: asyncio.Queue[Invocation | None] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None
        self.child: Child | None = None
        self.current: Invocation | None = None
        self.init_error: InvocationError | None = None
        self.was_ready = False
        self.idle_since = 0.0
        self._taken_at = 0.0
        self._killed = False
        self.log_stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
        """What tells execution environments apart, in Lambda as here."""

    async def run(self, children: Children) -> None:
        """Start the process and stay until it ends."""
        spec = self._spec
        try:
            self._port = await self._api.open(self)
            self.child = await children.start(
                spec.name,
                [sys.executable, "-m", "awslambdaric", spec.handler],
                environment=spec.environment | self._runtime_environment(),
                log_name=spec.name,
            )
            if self._killed:
                self.kill()
            code = await self.child.wait()
            self._end_current("Runtime.ExitError", f"Error: Runtime exited with {_described(code)}")
        finally:
            self._inbox.put_nowait(None)
            await self._api.close(self._port)
            self._owner.on_exit(self)

    def _runtime_environment(self) -> dict[str, str]:
        spec = self._spec
        return {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._port}",
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mib),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
            "_HANDLER": spec.handler,
        }

    def take(self, invocation: Invocation) -> None:
        """Give the idle process an invocation. The function's timeout begins."""
        self.current = invocation
        self._taken_at = asyncio.get_running_loop().time()
        self._timer = asyncio.get_running_loop().call_later(self._spec.timeout_s, self._time_out)
        self._inbox.put_nowait(invocation)

    def kill(self) -> None:
        """End the process and what it started, now or as soon as it is there."""
        self._killed = True
        if self.child is not None:
            self.child.signal_group(signal.SIGKILL)

    async def next_invocation(self) -> tuple[dict[str, str], bytes] | None:
        """See `RuntimeSide`."""
        self.idle_since = asyncio.get_running_loop().time()
        first, self.was_ready = not self.was_ready, True
        self._owner.on_ready(self, first=first)
        invocation = await self._inbox.get()
        if invocation is None:
            return None
        headers = invocation.headers(function_arn=self._spec.arn, timeout_s=self._spec.timeout_s)
        return headers, invocation.event

    def finish(self, request_id: str, payload: bytes) -> bool:
        """See `RuntimeSide`."""
        invocation = self._release(request_id)
        if invocation is not None:
            invocation.finish(payload)
        return invocation is not None

    def fail(self, request_id: str | None, payload: bytes) -> bool:
        """See `RuntimeSide`."""
        if request_id is None:
            self.init_error = InvocationError(payload)
            return True
        invocation = self._release(request_id)
        if invocation is not None:
            invocation.fail(InvocationError(payload))
        return invocation is not None

    def _release(self, request_id: str) -> Invocation | None:
        if self.current is None or self.current.request_id != request_id:
            return None
        return self._detach()

    def _detach(self) -> Invocation | None:
        if self._timer is not None:
            self._timer.cancel()
        if self.current is not None:
            self._owner.on_end(asyncio.get_running_loop().time() - self._taken_at)
        invocation, self.current, self._timer = self.current, None, None
        return invocation

    def _end_current(self, error_type: str, message: str) -> None:
        if invocation := self._detach():
            invocation.fail(InvocationError.of(error_type, message, invocation.request_id))

    def _time_out(self) -> None:
        self._end_current("Sandbox.Timedout", f"Error: Task timed out after {self._spec.timeout_s:.2f} seconds")
        self.kill()


def _described(code: int) -> str:
    """Return an exit code in words."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
