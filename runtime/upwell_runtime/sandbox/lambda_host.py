"""Runs functions as Lambda does: processes that grow with the work, one invocation each at a time."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from upwell_runtime.sandbox.children import Children
from upwell_runtime.sandbox.executor import Executor, FunctionSpec
from upwell_runtime.sandbox.invocation import Invocation, InvocationError
from upwell_runtime.sandbox.runtime_api import RuntimeApi
from upwell_runtime.sandbox.state import SandboxError

log = logging.getLogger(__name__)

CORES = max(2, os.cpu_count() or 2)
TICK_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How many processes a function may have.

    Lambda gives every waiting invocation a machine. Here they share one, so that a process helps only where
    invocations wait for something else than the processor, and each costs about a second of it to start.
    """

    at_once: int = 2 * CORES
    """Processes as soon as work waits."""
    processes: int = 12
    """Processes when work waits and nothing has ended for `pace_s`: what runs is not short of processor."""
    pace_s: float = 0.1
    processes_stalled: int = 64
    """Processes when work waits and nothing has ended for `stalled_after_s`: parents that wait for children
    of their own pool would wait for ever otherwise."""
    stalled_after_s: float = 3.0
    starting: int = CORES
    """Processes that start at the same time."""
    idle_s: float = 30.0
    """A process that had nothing to do for so long ends; one per function stays."""


class FunctionHost:
    """The processes of one function."""

    def __init__(self, spec: FunctionSpec, api: RuntimeApi, children: Children, growth: Growth) -> None:
        self.spec = spec
        self._api = api
        self._children = children
        self._growth = growth
        self._idle: list[Executor] = []
        self._executors: dict[Executor, asyncio.Task[None]] = {}
        self._waiting: deque[Invocation] = deque()
        self._moved = 0.0
        """When an invocation last ended, or work began to wait."""
        self._readied = 0.0
        """When a process last became ready."""
        self._closed = False
        self.invocations = 0
        """Invocations taken so far."""
        self.billed_s = 0.0
        """Time of the invocations that have ended, as Lambda would bill it."""

    @property
    def limit(self) -> int:
        """Invocations that it makes sense to have under way."""
        return max(self._growth.processes, len(self._executors))

    async def invoke(self, event: bytes) -> bytes:
        """Run the function on an event and return what it returned, both JSON.

        Raises:
            InvocationError: the function raised, ended, or took longer than its timeout.
        """
        if self._closed:
            raise InvocationError.of("ServiceException", f"{self.spec.name} is being removed", "-")
        invocation = Invocation(event)
        self.invocations += 1
        if self._idle:
            self._idle.pop().take(invocation)
        else:
            if not self._waiting:
                self._moved = asyncio.get_running_loop().time()
            self._waiting.append(invocation)
            self._grow()
        try:
            return await invocation.result
        finally:
            self._moved = asyncio.get_running_loop().time()

    def on_ready(self, executor: Executor, *, first: bool) -> None:
        """See `ExecutorOwner`."""
        if first:
            self._readied = asyncio.get_running_loop().time()
        if invocation := self._next_waiting():
            executor.take(invocation)
            self._grow()
        else:
            # The last in is the first out, so that what is not needed stays idle and can be ended.
            self._idle.append(executor)

    def on_end(self, duration_s: float) -> None:
        """See `ExecutorOwner`."""
        self.billed_s += duration_s

    def on_exit(self, executor: Executor) -> None:
        """See `ExecutorOwner`."""
        self._executors.pop(executor, None)
        if executor in self._idle:
            self._idle.remove(executor)
        if not executor.was_ready and not self._closed and (invocation := self._next_waiting()):
            # A function that cannot start fails its event; the next event tries again.
            error = executor.init_error or InvocationError.of(
                "Runtime.ExitError", "Error: Runtime exited before it was ready", invocation.request_id
            )
            invocation.fail(error)
        if not self._closed:
            self._grow()

    def tick(self) -> None:
        """Add processes when work waits, and let idle ones go. Called every `TICK_S`."""
        self._grow()
        now = asyncio.get_running_loop().time()
        # The longest idle are first; the last one stays.
        while len(self._idle) > 1 and now - self._idle[0].idle_since > self._growth.idle_s:
            self._idle.pop(0).kill()

    async def close(self) -> None:
        """End all processes. What is under way or waits fails."""
        self._closed = True
        tasks = list(self._executors.values())
        for executor in list(self._executors):
            executor.kill()
        while invocation := self._next_waiting():
            invocation.fail(
                InvocationError.of("ServiceException", f"{self.spec.name} was removed", invocation.request_id)
            )
        await asyncio.gather(*tasks, return_exceptions=True)

    def status(self) -> list[dict[str, Any]]:
        """Return pid, log stream and state of every process."""
        return [
            {
                "function": self.spec.name,
                "pid": executor.child.pid if executor.child else None,
                "log_stream": executor.log_stream,
                "state": "busy" if executor.current else "idle" if executor.was_ready else "starting",
            }
            for executor in self._executors
        ]

    def _starting(self) -> int:
        return sum(not executor.was_ready for executor in self._executors)

    def _next_waiting(self) -> Invocation | None:
        while self._waiting:
            invocation = self._waiting.popleft()
            if not invocation.result.done():
                return invocation
        return None

    def _report(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.error("no process could be started", exc_info=error, extra={"function": self.spec.name})

    def _most(self) -> int:
        """Return how many processes the function may have, by how work moves."""
        growth, now = self._growth, asyncio.get_running_loop().time()
        if now - self._moved > growth.stalled_after_s:
            return growth.processes_stalled
        if now - max(self._moved, self._readied) > growth.pace_s:
            return growth.processes
        return min(growth.at_once, growth.processes)

    def _grow(self) -> None:
        """Start processes for what waits, within the limits."""
        if not self._waiting:
            return
        wanted = min(len(self._waiting), self._growth.starting) - self._starting()
        for _ in range(min(wanted, self._most() - len(self._executors))):
            executor = Executor(self.spec, self, self._api)
            task = self._executors[executor] = asyncio.create_task(executor.run(self._children))
            task.add_done_callback(self._report)


class LambdaHost:
    """All functions of the sandbox, by name."""

    def __init__(self, children: Children, growth: Growth) -> None:
        self._children = children
        self._growth = growth
        self._api = RuntimeApi()
        self._functions: dict[str, FunctionHost] = {}

    async def start(self) -> None:
        """Make the Runtime API ready."""
        await self._api.start()

    async def stop(self) -> None:
        """End every function."""
        await asyncio.gather(*(function.close() for function in self._functions.values()))
        await self._api.stop()

    async def run(self) -> None:
        """Keep the number of processes fitting, for ever."""
        while True:
            await asyncio.sleep(TICK_S)
            for function in list(self._functions.values()):
                function.tick()

    def deploy(self, spec: FunctionSpec) -> FunctionHost:
        """Add a function that the sandbox has not."""
        host = FunctionHost(spec, self._api, self._children, self._growth)
        self._functions[spec.name] = host
        return host

    async def remove(self, names: Iterable[str]) -> None:
        """End functions and forget them."""
        hosts = [self._functions.pop(name) for name in names if name in self._functions]
        await asyncio.gather(*(host.close() for host in hosts))

    def function(self, name: str) -> FunctionHost:
        """Return a function by its name or ARN.

        Raises:
            SandboxError: there is none of that name.
        """
        short = name.rpartition(":")[2]
        if short not in self._functions:
            raise SandboxError(f"no function {short!r} in the sandbox; it has {sorted(self._functions)}")
        return self._functions[short]

    def has(self, name: str) -> bool:
        """Whether a function of that name or ARN is deployed."""
        return name.rpartition(":")[2] in self._functions

    def status(self) -> list[dict[str, Any]]:
        """Return all processes."""
        return [entry for function in self._functions.values() for entry in function.status()]

    def usage(self) -> dict[str, dict[str, float]]:
        """Return how often each function was invoked so far, for how long in all, and its size."""
        return {
            name: {
                "invocations": function.invocations,
                "billed_s": round(function.billed_s, 3),
                "memory_mib": function.spec.memory_mib,
            }
            for name, function in self._functions.items()
        }

    def invocations(self) -> int:
        """Return how many invocations there were so far, of all functions."""
        return sum(function.invocations for function in self._functions.values())
