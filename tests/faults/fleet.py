"""Processes that die around a store and a queue that do not: on SQLite and memory, or on emulated AWS."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.faults.ports import WRITES, Killed

from upwell._author.task import Task
from upwell._aws.platform import ports_of
from upwell._client.options import RunOptions
from upwell._client.submit import new_run
from upwell._core.model import Executor as ExecutorId
from upwell._core.model import RunRecord
from upwell._core.ports import Clock, Ports
from upwell._core.settings import Settings
from upwell._core.sweep import Remedy
from upwell._exec.environment import RandomIds, SystemClock
from upwell._exec.executor import Executor
from upwell._exec.kernel import Kernel
from upwell._exec.sweeper import Sweeper
from upwell._exec.user_code import InProcess
from upwell._exec.worker import LONG_POLL_S, Worker
from upwell._local.blobs import FolderBlobs
from upwell._local.orchestrator import LocalOrchestrator
from upwell._local.platform import LOCAL_SETTINGS, LOCAL_TRANSFERS, RegistryLoader
from upwell._local.queue import MemoryQueue
from upwell._local.sqlite import SqliteStore
from upwell.testing.clock import SkippingClock
from upwell.testing.flows import skip_idle
from upwell.testing.moto_aws import moto_platform

RUN_ID = "run"
SLOTS = 32


class Chance:
    """Sees every effect of a process, and may let it die of one, or let one come to nothing.

    Args:
        dies: Says of an effect whether the process dies of it; asked once for each.
        when: Whether it dies before it or after it.
        drops: Says of an effect whether it gets lost, unnoticed.
    """

    def __init__(
        self,
        dies: Callable[[str, tuple[Any, ...]], bool] = lambda *_: False,
        when: str = "after",
        *,
        drops: Callable[[str, tuple[Any, ...]], bool] = lambda *_: False,
    ) -> None:
        self._dies, self._when, self._drops = dies, when, drops
        self.seen: list[str] = []
        self.dropped = 0
        self.died_of = ""
        self.dead = asyncio.Event()

    async def carry_out(self, name: str, args: tuple[Any, ...], effect: Callable[[], Awaitable[Any]]) -> Any:
        """Carry out an effect, unless it is to fail."""
        if self.dead.is_set():
            raise Killed
        self.seen.append(name)
        if self._drops(name, args):
            self.dropped += 1
            return None
        dies = self._dies(name, args)
        self.died_of = name if dies else ""
        if dies and self._when == "before":
            self.dead.set()
            raise Killed
        result = await effect()
        if dies:
            self.dead.set()
            raise Killed
        return result


class _Port:
    """A port of a process that may die."""

    def __init__(self, port: Any, kind: str, chance: Chance) -> None:
        self._port, self._kind, self._chance = port, kind, chance

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name in WRITES.get(self._kind, ()):

            async def effect(*args: Any, **kwargs: Any) -> Any:
                return await self._chance.carry_out(
                    f"{self._kind}.{name}", args, lambda: method(*args, **kwargs)
                )

            return effect
        if not asyncio.iscoroutinefunction(method):
            return method

        async def passed(*args: Any, **kwargs: Any) -> Any:
            if self._chance.dead.is_set():
                raise Killed
            return await method(*args, **kwargs)

        return passed


@dataclass
class Fleet:
    """What outlives the processes, and how time passes for them."""

    ports: Ports
    settings: Settings
    scratch: Path
    suspends: bool
    lose_messages: Callable[[Fleet], None]
    remedies: Counter[Remedy] = field(default_factory=Counter)
    sweeping: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self, task: Task[..., Any], **options: Any) -> RunRecord:
        """Start a run."""
        now = self.ports.clock.now()
        encoded = task.interface.encode_inputs({})
        run = await new_run(self.ports.blobs, task, encoded, RunOptions(), run_id=RUN_ID, bundle=None, now=now)
        await self.ports.orchestrator.start(run, **options)
        await self._started(run)
        return run

    async def _started(self, run: RunRecord) -> None:
        """Wait until a state machine, if it is one that starts it, has written the run and sent the root."""
        while await self.ports.store.get_run(RUN_ID) is None:  # noqa: ASYNC110  # it is another thread
            await asyncio.sleep(0.01)
        while not await self.ports.queue.waiting(run.root.task.pool):  # noqa: ASYNC110  # the same
            await asyncio.sleep(0.01)

    def kernel(self, chance: Chance | None = None) -> Kernel:
        """Return the surroundings of a new process."""
        ports = self.ports
        if chance is not None:
            wrapped: dict[str, Any] = {kind: _Port(getattr(ports, kind), kind, chance) for kind in WRITES}
            ports = replace(ports, **wrapped)
        return Kernel(
            ports=ports,
            settings=self.settings,
            users=InProcess(RegistryLoader(), LOCAL_TRANSFERS),
            ids=RandomIds(),
            mode="local",
            scratch=self.scratch,
            suspends=self.suspends,
        )

    async def live(self, run: RunRecord, chance: Chance, *, sweeps: bool, for_s: float) -> RunRecord:
        """Let one process live until it dies, the run ends, or some time has passed; return the run.

        Args:
            run: The run whose root's pool it serves.
            chance: What happens to the process.
            sweeps: Whether a sweeper looks at the run now and then.
            for_s: How long at most.
        """
        kernel = self.kernel(chance)
        lease_s = self.settings.lease_s
        executor = Executor(kernel, lease_s=lease_s)
        pool = run.root.task.pool
        skips = isinstance(self.ports.clock, SkippingClock)
        poll_s = LONG_POLL_S if skips else 0.0
        worker = Worker(kernel, executor, pool=pool, slots=SLOTS, visibility_s=lease_s, long_poll_s=poll_s)
        others = [asyncio.create_task(worker.serve())]
        if sweeps:
            others.append(asyncio.create_task(self._sweep()))
        if isinstance(self.ports.clock, SkippingClock):
            others.append(asyncio.create_task(skip_idle(self.ports.clock, lambda: worker.is_idle)))
        over = [asyncio.create_task(chance.dead.wait()), asyncio.create_task(self._ended(for_s))]
        await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
        async with self.sweeping:  # what it finds is counted
            chance.dead.set()  # what it does now has no effect any more
        for task in (*others, *over):
            task.cancel()
        await asyncio.gather(*others, *over, return_exceptions=True)
        return await self.run()

    async def run(self) -> RunRecord:
        """Return the run as it is."""
        run = await self.ports.store.get_run(RUN_ID)
        assert run is not None
        return run

    async def _ended(self, at_most_s: float) -> None:
        until = self.ports.clock.now() + at_most_s
        while not (await self.run()).status.is_terminal and self.ports.clock.now() < until:
            await self.ports.clock.sleep(self.settings.lease_s / 3)

    async def _sweep(self) -> None:
        sweeper = Sweeper(self.kernel())
        while True:
            await self.ports.clock.sleep(self.settings.sweep_s / 4)
            async with self.sweeping:
                self.remedies += await sweeper.sweep()


SLOW = replace(LOCAL_SETTINGS, lease_s=30.0, heartbeat_s=10.0, silence_s=15.0, sweep_s=60.0, poll_max_s=5.0)
"""As deployed, on a clock that skips."""
FAST = {"lease_s": 3.0, "heartbeat_s": 0.5, "silence_s": 1.0, "sweep_s": 4.0, "linger_s": 0.3}
"""Where time cannot be skipped."""


@contextmanager
def local_fleet(root: Path, *, suspends: bool) -> Iterator[Fleet]:
    """A fleet on SQLite and memory, whose time is skipped."""
    clock: Clock = SkippingClock()
    store = SqliteStore(root / "state.db")

    def forget(fleet: Fleet) -> None:
        queue = MemoryQueue(clock)
        fleet.ports = replace(fleet.ports, queue=queue, orchestrator=LocalOrchestrator(store, queue, clock))

    queue = MemoryQueue(clock)
    ports = Ports(
        store=store,
        blobs=FolderBlobs(root / "blobs"),
        queue=queue,
        orchestrator=LocalOrchestrator(store, queue, clock),
        clock=clock,
        executor=ExecutorId(kind="local", id="fleet"),
    )
    try:
        yield Fleet(ports, SLOW, root / "scratch", suspends, forget)
    finally:
        store.close()


@contextmanager
def moto_fleet(root: Path, *, suspends: bool) -> Iterator[Fleet]:
    """A fleet on DynamoDB, SQS, S3 and Step Functions as moto emulates them, in real time."""
    with moto_platform() as (clients, platform):
        settings = replace(platform, **FAST)  # type: ignore[arg-type]  # they are its fields
        aws = ports_of(clients, settings)
        url = settings.queue_url("default")
        ports = Ports(
            store=aws.store,
            blobs=aws.blobs,
            queue=aws.queue,
            orchestrator=aws.orchestrator,
            clock=SystemClock(),
            executor=ExecutorId(kind="worker", id="fleet"),
        )
        yield Fleet(ports, settings, root, suspends, lambda _: clients.sqs.purge_queue(QueueUrl=url) and None)
