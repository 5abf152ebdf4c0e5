"""Several processes in one: executors with ports of their own, that die and are replaced."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.faults.ledger import Ledger
from bench.faults.notes import Note, current_process
from bench.faults.ports import READS, WRITES, Faulty, Killed, Labels, Life
from bench.faults.strikes import Plan
from upwell._core.model import Executor as ExecutorId
from upwell._core.ports import Clock, Ports
from upwell._core.settings import Settings
from upwell._exec.effects import give_up
from upwell._exec.environment import RandomIds
from upwell._exec.executor import Executor
from upwell._exec.kernel import Kernel
from upwell._exec.user_code import InProcess
from upwell._exec.worker import Worker
from upwell._local.platform import RegistryLoader
from upwell._types.transfers.transfer import BlobTransfer

REPLACED_AFTER_S = 2.0
LONG_POLL_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the processes of a run have in common."""

    clock: Clock
    settings: Settings
    make_ports: Callable[[], dict[str, Any]]
    """Gives the real adapters of one process: store, queue, blobs, orchestrator."""
    plan: Plan
    ledger: Ledger
    scratch: Path
    counted: dict[str, tuple[str, ...]]
    """The methods that faults strike, by port."""
    long_poll_s: float = LONG_POLL_S
    transfers: Mapping[str, BlobTransfer]


@dataclass(frozen=True, slots=True)
class Role:
    """What a process serves."""

    name: str
    pool: str
    slots: int
    suspends: bool


class Process:
    """One process, which serves one pool until it dies, or is told to drain."""

    def __init__(self, place: Place, role: Role, number: int, labels: Labels) -> None:
        self.id = f"{role.name}-{number}"
        self._ledger, self._clock = place.ledger, place.clock
        self.life = Life(place.plan, place.clock, stall_s=1.6 * place.settings.lease_s)
        real = place.make_ports()
        wrapped: dict[str, Any] = {
            kind: Faulty(port, kind, self.life, labels, place.counted) for kind, port in real.items()
        }
        self.kernel = Kernel(
            ports=Ports(clock=place.clock, executor=ExecutorId(kind="worker", id=self.id), **wrapped),
            settings=place.settings,
            users=InProcess(RegistryLoader(), place.transfers),
            ids=RandomIds(),
            mode="local",
            scratch=place.scratch,
            suspends=role.suspends,
        )
        real["queue"].on_dead = lambda delivery: give_up(self.kernel, delivery)
        self._executor = Executor(self.kernel, lease_s=place.settings.lease_s)
        self._worker = Worker(
            self.kernel,
            self._executor,
            pool=role.pool,
            slots=role.slots,
            visibility_s=place.settings.lease_s,
            long_poll_s=place.long_poll_s,
        )

    def note(self, action: str, attempt: int, what: str) -> None:
        """Keep a note of a task that runs here."""
        if self.life.dead.is_set():
            raise Killed
        self._ledger.notes.append(Note(action, attempt, self._clock.now(), self.id, what))

    async def serve(self) -> None:
        """Serve until killed or cancelled."""
        current_process.set(self)
        serving = asyncio.create_task(self._worker.serve())
        died = asyncio.create_task(self.life.dead.wait())
        try:
            await asyncio.wait({serving, died}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (serving, died):
                task.cancel()
            await asyncio.gather(serving, died, return_exceptions=True)

    def drain(self) -> None:
        """Have the next cancellation give back what runs."""
        self._executor.drain()


class Fleet:
    """The processes of a run; whoever ends has a successor."""

    def __init__(self, place: Place, roles: list[Role]) -> None:
        self._place, self._roles = place, roles
        self._labels = Labels()
        self._numbers = itertools.count(1)
        self._processes: dict[asyncio.Task[None], Process] = {}
        self._keepers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start a process for each role."""
        self._keepers = [asyncio.create_task(self._keep(role)) for role in self._roles]
        self._keepers.append(asyncio.create_task(self._drain_some()))

    async def _keep(self, role: Role) -> None:
        while True:
            process = Process(self._place, role, next(self._numbers), self._labels)
            serving = asyncio.create_task(process.serve())
            self._processes[serving] = process
            try:
                await asyncio.wait({serving})
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)
                del self._processes[serving]
            await self._place.clock.sleep(REPLACED_AFTER_S)

    async def _drain_some(self) -> None:
        for at_s in sorted(self._place.plan.drains_at_s):
            await self._place.clock.sleep(at_s)
            busy = [(serving, process) for serving, process in self._processes.items()]
            if busy:
                serving, process = busy[int(at_s * 1000) % len(busy)]
                self._place.plan.happened["drain"] += 1
                process.drain()
                serving.cancel()

    async def aclose(self) -> None:
        """End all processes as if they were killed, so that nothing more is written."""
        for process in self._processes.values():
            process.life.kill()
        for keeper in self._keepers:
            keeper.cancel()
        ends = await asyncio.gather(*self._keepers, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):  # of the harness itself
                raise end


def counted(*, throws_reads: bool) -> dict[str, tuple[str, ...]]:
    """Return the methods of ports that faults strike."""
    if not throws_reads:
        return WRITES
    return {kind: (*WRITES[kind], *READS.get(kind, ())) for kind in WRITES}
