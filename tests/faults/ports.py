"""Ports that fail at a chosen effect: with an error, or as if the process were killed there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Literal

from upwell._core.model import RunRecord
from upwell._core.ports import Clock, Ports, StateStore
from upwell._core.wire import Message
from upwell._exec.executor import Executor
from upwell._local.blobs import FolderBlobs
from upwell._local.platform import LocalPlatform

When = Literal["before", "after"]
EFFECTS = {
    "store": ("save", "append", "put_cached", "take_hold", "renew_hold", "release_hold"),
    "queue": ("send", "delete", "hide"),
    "blobs": ("put",),
    "orchestrator": ("root_ended",),
}
READS = {"store": ("get", "get_many", "read", "get_cached", "list_holds"), "blobs": ("get",)}


class Killed(BaseException):
    """The process is dead: nothing it does has an effect any more."""


class HiccupError(Exception):
    """A request failed."""


class Faults:
    """Counts effects, and fails one of them.

    Args:
        at: Which effect, from 0; None lets everything pass.
        when: Whether it fails before it takes effect or after it, with the answer lost.
        kills: Whether the process dies of it, or sees an error once.
        counted: The methods that count, by port.
    """

    def __init__(
        self,
        at: int | None = None,
        when: When = "before",
        *,
        kills: bool = True,
        counted: dict[str, tuple[str, ...]] = EFFECTS,
    ) -> None:
        self.at, self.when, self.kills, self.counted = at, when, kills, counted
        self.seen: list[str] = []
        self.dead = asyncio.Event()

    @property
    def struck(self) -> bool:
        """Whether the effect was reached."""
        return self.at is not None and len(self.seen) > self.at

    async def carry_out(self, name: str, effect: Callable[[], Awaitable[Any]]) -> Any:
        """Carry out an effect, unless it is the one to fail."""
        if self.dead.is_set():
            raise Killed
        self.seen.append(name)
        if len(self.seen) - 1 != self.at:
            return await effect()
        if self.when == "after":
            await effect()
        if not self.kills:
            raise HiccupError(name)
        self.dead.set()
        raise Killed


class Faulty:
    """A port whose counted methods go through `Faults`; the others pass, until the process is dead."""

    def __init__(self, port: Any, kind: str, faults: Faults) -> None:
        self._port, self._kind, self._faults = port, kind, faults

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name in self._faults.counted.get(self._kind, ()):

            async def counted(*args: Any, **kwargs: Any) -> Any:
                label = f"{self._kind}.{name}"
                return await self._faults.carry_out(label, lambda: method(*args, **kwargs))

            return counted
        if asyncio.iscoroutinefunction(method):

            async def passed(*args: Any, **kwargs: Any) -> Any:
                if self._faults.dead.is_set():
                    raise Killed
                return await method(*args, **kwargs)

            return passed
        return method


class CarelessQueue:
    """Delivers each message several times, late and in any order; what SQS may do on a bad day."""

    def __init__(self, queue: Any, *, copies: int, late_s: float, chance: Random) -> None:
        self._queue, self._copies, self._late_s, self._chance = queue, copies, late_s, chance

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    async def send(self, pool: str, messages: Sequence[Message], delay_s: float = 0.0) -> None:
        """Send copies, each with a delay of its own."""
        copies = list(messages) * self._copies
        self._chance.shuffle(copies)
        for copy in copies:
            await self._queue.send(pool, [copy], delay_s + self._chance.uniform(0, self._late_s))


class FaultyPlatform(LocalPlatform):
    """The local engine over ports that fail."""

    def __init__(self, store: StateStore, root: Path, faults: Faults, *, clock: Clock | None = None) -> None:
        super().__init__(store, FolderBlobs(root / "blobs"), root / "scratch", clock=clock)
        ports = self.kernel.ports
        wrapped: dict[str, Any] = {kind: Faulty(getattr(ports, kind), kind, faults) for kind in EFFECTS}
        self._adopt(replace(ports, **wrapped))
        self.faults = faults

    def make_careless(self, *, copies: int, late_s: float, seed: int) -> None:
        """Give the engine a queue that repeats, delays and reorders."""
        ports = self.kernel.ports
        queue: Any = CarelessQueue(ports.queue, copies=copies, late_s=late_s, chance=Random(seed))
        self._adopt(replace(ports, queue=queue))

    def _adopt(self, ports: Ports) -> None:
        self.kernel = replace(self.kernel, ports=ports)
        self._executor = Executor(self.kernel, lease_s=self.kernel.settings.lease_s)

    async def run_until_dead(self, run: RunRecord) -> RunRecord | None:
        """Run to the end; None when the process died before."""
        ended = asyncio.create_task(self.run_to_end(run))
        died = asyncio.create_task(self.faults.dead.wait())
        await asyncio.wait({ended, died}, return_when=asyncio.FIRST_COMPLETED)
        died.cancel()
        if self.faults.dead.is_set():
            ended.cancel()
        await asyncio.gather(ended, died, return_exceptions=True)
        await self.aclose()
        return None if self.faults.dead.is_set() else ended.result()
