"""Ports of one process that fail where a script says so: by an error, a stall, or the death of it all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bench.faults.strikes import Script
from upwell._core.journal import Hits, Scheduled, Traced, Traces
from upwell._core.model import ActionRecord, Status
from upwell._core.ports import Clock
from upwell.errors import UnavailableError

WRITES = {
    "store": ("save", "append", "put_cached", "take_hold", "renew_hold", "release_hold"),
    "queue": ("send", "delete", "hide"),
    "blobs": ("put",),
    "orchestrator": ("root_ended",),
}
READS = {
    "store": ("get", "get_many", "read", "get_cached", "list_holds"),
    "queue": ("receive",),
    "blobs": ("get",),
}
LABELS = {
    "queue.delete": "delete",
    "queue.hide": "hide",
    "queue.receive": "receive",
    "blobs.put": "blob",
    "blobs.get": "read blob",
    "orchestrator.root_ended": "token",
    "store.put_cached": "cache",
    "store.take_hold": "take hold",
    "store.renew_hold": "renew hold",
    "store.release_hold": "release hold",
    "store.list_holds": "read holds",
    "store.get": "read record",
    "store.get_many": "read record",
    "store.read": "read journal",
    "store.get_cached": "read cache",
}


class Killed(BaseException):
    """The process is dead: nothing it does has an effect any more."""


class Life:
    """One process: whether it lives, and since when it does nothing.

    Args:
        script: What fails.
        clock: Stalls pass on this clock.
        stall_s: How long a stall lasts.
        make_error: Makes what a request that fails raises.
    """

    def __init__(
        self,
        script: Script,
        clock: Clock,
        *,
        stall_s: float = 0.0,
        make_error: Callable[[str], Exception] = UnavailableError,
    ) -> None:
        self._script, self._clock, self._stall_s, self._make_error = script, clock, stall_s, make_error
        self._stalled_until = 0.0
        self.dead = asyncio.Event()

    async def pass_on(self, effect: Callable[[], Awaitable[Any]]) -> Any:
        """Carry out what does not fail by itself; a dead process gets no answer."""
        await self._gate()
        answer = await effect()
        await self._gate()
        return answer

    async def carry_out(self, label: str, effect: Callable[[], Awaitable[Any]]) -> Any:
        """Carry out an effect, unless it is one to fail."""
        await self._gate()
        strike = self._script.strike(label)
        if strike is None:
            answer = await effect()
            await self._gate()
            return answer
        if strike.when == "after":
            await effect()
        match strike.how:
            case "kill":
                self.kill()
            case "stall":
                self._stalled_until = self._clock.now() + self._stall_s
                await self._gate()
                return await effect()
            case "throw":
                await self._gate()
                raise self._make_error(label)
        raise Killed

    def kill(self) -> None:
        """Let the process be dead."""
        self.dead.set()

    async def _gate(self) -> None:
        while (left_s := self._stalled_until - self._clock.now()) > 0 and not self.dead.is_set():
            await self._clock.sleep(left_s)
        if self.dead.is_set():
            raise Killed


class Labels:
    """Names the effect that a call of a port is, by what it writes."""

    def __init__(self) -> None:
        self._leases: set[str] = set()
        self._recorded: set[str] = set()

    def of(self, kind: str, name: str, args: tuple[Any, ...]) -> str:
        """Return the label of a call."""
        match f"{kind}.{name}":
            case "store.save":
                return self._of_save(args[0])
            case "store.append":
                return self._of_append(args[2][0])
            case "queue.send":
                known = any(message.action.action_id in self._recorded for message in args[1])
                return "resend" if known else "send"
            case other:
                return LABELS[other]

    def _of_save(self, record: ActionRecord) -> str:
        self._recorded.add(record.spec.action_id)
        if record.outcome is not None:
            if record.cached_from is not None:
                return "hit"
            return "abort" if record.status is Status.ABORTED else "finish"
        if record.status is Status.SUSPENDED:
            return "suspend"
        if record.status is Status.RUNNING:
            assert record.lease is not None  # RUNNING has one
            known = record.lease.id in self._leases
            self._leases.add(record.lease.id)
            return "extend" if known else "claim"
        end = record.attempts[-1].end if record.attempts else ""
        return {"failed": "retry", "released": "release", "suspended": "wake"}.get(end, "release")

    def _of_append(self, entry: object) -> str:
        if isinstance(entry, Scheduled):
            return "journal scheduled"
        if isinstance(entry, Hits):
            return "hit"
        return "journal traced" if isinstance(entry, Traced | Traces) else "journal completed"


class Faulty:
    """A port of a process; the methods that count go through its `Life`, the others pass until it is dead.

    Args:
        port: The real one.
        kind: Which port it is.
        life: Of the process.
        labels: Names effects; shared by the ports of a run.
        counted: The methods that count, by port.
    """

    def __init__(
        self, port: Any, kind: str, life: Life, labels: Labels, counted: dict[str, tuple[str, ...]]
    ) -> None:
        self._port, self._kind, self._life, self._labels = port, kind, life, labels
        self._counted = counted.get(kind, ())

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        life = self._life
        if name in self._counted:

            async def counted(*args: Any, **kwargs: Any) -> Any:
                label = self._labels.of(self._kind, name, args)
                return await life.carry_out(label, lambda: method(*args, **kwargs))

            return counted
        if asyncio.iscoroutinefunction(method):

            async def passed(*args: Any, **kwargs: Any) -> Any:
                return await life.pass_on(lambda: method(*args, **kwargs))

            return passed
        return method
