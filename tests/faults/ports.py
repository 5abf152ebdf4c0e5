"""The local engine over ports that fail at a chosen effect."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from bench.faults.messages import MessyQueue
from bench.faults.ports import WRITES, Faulty, Labels, Life
from bench.faults.strikes import How, Plan, Strike, When

from upwell._core.model import RunRecord
from upwell._core.ports import Clock, Ports, StateStore
from upwell._exec.environment import SystemClock
from upwell._exec.executor import Executor
from upwell._local.blobs import FolderBlobs
from upwell._local.platform import LocalPlatform


class HiccupError(Exception):
    """A request failed."""


class NthEffect:
    """Counts effects, and strikes one of them.

    Args:
        at: Which effect, from 0; None lets everything pass.
        when: Whether it fails before it takes effect or after it, with the answer lost.
        how: Whether the process dies of it, or sees an error once.
        counted: The methods that count, by port.
    """

    def __init__(
        self,
        at: int | None = None,
        when: When = "before",
        *,
        how: How = "kill",
        counted: dict[str, tuple[str, ...]] = WRITES,
    ) -> None:
        self._at, self._strike = at, Strike(how, when)
        self.counted = counted
        self.seen: list[str] = []

    def strike(self, label: str) -> Strike | None:
        """See `Script.strike`."""
        self.seen.append(label)
        return self._strike if len(self.seen) - 1 == self._at else None


class FaultyPlatform(LocalPlatform):
    """The local engine over ports that fail."""

    def __init__(
        self, store: StateStore, root: Path, effects: NthEffect, *, clock: Clock | None = None
    ) -> None:
        super().__init__(store, FolderBlobs(root / "blobs"), root / "scratch", clock=clock)
        self.effects = effects
        self.life = Life(effects, clock or SystemClock(), make_error=HiccupError)
        ports, labels = self.kernel.ports, Labels()
        wrapped: dict[str, Any] = {
            kind: Faulty(getattr(ports, kind), kind, self.life, labels, effects.counted) for kind in WRITES
        }
        self._adopt(replace(ports, **wrapped))

    def make_messy(self, plan: Plan, *, late_s: float, seed: int) -> None:
        """Give the engine a queue that repeats, delays and reorders."""
        ports = self.kernel.ports
        queue: Any = MessyQueue(ports.queue, plan, Random(seed), late_s=late_s)
        self._adopt(replace(ports, queue=queue))

    def _adopt(self, ports: Ports) -> None:
        self.kernel = replace(self.kernel, ports=ports)
        self._executor = Executor(self.kernel, lease_s=self.kernel.settings.lease_s)

    async def run_until_dead(self, run: RunRecord) -> RunRecord | None:
        """Run to the end; None when the process died before."""
        ended = asyncio.create_task(self.run_to_end(run))
        died = asyncio.create_task(self.life.dead.wait())
        await asyncio.wait({ended, died}, return_when=asyncio.FIRST_COMPLETED)
        died.cancel()
        if self.life.dead.is_set():
            ended.cancel()
        await asyncio.gather(ended, died, return_exceptions=True)
        await self.aclose()
        return None if self.life.dead.is_set() else ended.result()
