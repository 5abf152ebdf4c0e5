"""The engine on one machine: this process is the queue and the executors, a folder holds everything else."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from upwell._author.environment import TaskEnvironment
from upwell._author.registry import resolve
from upwell._author.task import Task
from upwell._core.model import ActionSpec, Outcome, RunRecord, Status
from upwell._core.model import Executor as ExecutorId
from upwell._core.ports import BlobStore, Clock, Ports, StateStore
from upwell._core.settings import Settings
from upwell._core.wire import Message
from upwell._exec.boundary import Users
from upwell._exec.effects import abort
from upwell._exec.environment import RandomIds, SystemClock
from upwell._exec.executor import Executor
from upwell._exec.kernel import Kernel
from upwell._exec.logs.attempt_log import LineSink
from upwell._exec.sweeper import Sweeper
from upwell._exec.user_code import InProcess
from upwell._exec.worker import Worker
from upwell._local.environment_secrets import EnvironmentSecrets
from upwell._local.garbage import rarer_collections
from upwell._local.orchestrator import LocalOrchestrator
from upwell._local.queue import MemoryQueue
from upwell._types.io_context import local_transfers

LEASE_S = 10 * 365 * 86_400.0
"""A local attempt cannot be lost while its process lives, and a recovery needs no lease to expire."""
DEFAULT_SLOTS = 256

LOCAL_SETTINGS = Settings(
    batch_slots=DEFAULT_SLOTS,
    prefix="local",
    bucket="",
    queue_url_prefix="",
    lease_s=LEASE_S,
    heartbeat_s=1.0,
    poll_min_s=1.0,  # outcomes are handed over in memory; reading the journal is the backstop
    silence_s=5.0,
    sweep_s=10.0,
)
LOCAL_TRANSFERS = local_transfers()


class RegistryLoader:
    """Finds tasks among those that this process has defined or can import."""

    async def load(self, spec: ActionSpec) -> Task[..., Any]:
        """Return the task."""
        return resolve(spec.task.module, spec.task.name)


class _ServedQueue(MemoryQueue):
    """Starts a worker for a pool when the first message goes there."""

    def __init__(self, clock: Clock, platform: LocalPlatform) -> None:
        super().__init__(clock)
        self._platform = platform

    async def send(self, pool: str, messages: Sequence[Message], delay_s: float = 0.0) -> None:
        if messages:
            self._platform.serve(pool, messages[0].action)
        await super().send(pool, messages, delay_s)


class _AnnouncingOrchestrator(LocalOrchestrator):
    """Says when a root action ended, so that nobody needs to poll for it."""

    def __init__(self, store: StateStore, queue: MemoryQueue, clock: Clock, ended: asyncio.Event) -> None:
        super().__init__(store, queue, clock)
        self._ended = ended

    async def root_ended(self, run_id: str, task_token: str | None, outcome: Outcome) -> None:
        await super().root_ended(run_id, task_token, outcome)
        self._ended.set()


class LocalPlatform:
    """Runs the actions of one run.

    Args:
        store: Holds records and journals.
        blobs: Holds large values, and the files of tasks.
        scratch: Folder for downloads of tasks.
        clock: Real, or one that a test skips.
        users: Where tasks run; by default in this process.
        settings: Tunables; the defaults suit one process.
        suspends: Whether parents that wait are suspended, as on Lambda; here it saves nothing, but shows
            whether a program bears to be replayed.
        lines: Takes what tasks print and log; None leaves that alone.
        echo: Whether it is also shown where it would have been.
    """

    def __init__(
        self,
        store: StateStore,
        blobs: BlobStore,
        scratch: Path,
        *,
        clock: Clock | None = None,
        users: Users | None = None,
        settings: Settings = LOCAL_SETTINGS,
        suspends: bool = False,
        lines: LineSink | None = None,
        echo: bool = True,
    ) -> None:
        clock = clock or SystemClock()
        self._ended = asyncio.Event()
        self._served: dict[str, Worker] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        queue = _ServedQueue(clock, self)
        self.orchestrator = _AnnouncingOrchestrator(store, queue, clock, self._ended)
        executor_id = ExecutorId(kind="local", id=f"{socket.gethostname()}-{os.getpid()}")
        ports = Ports(
            store=store,
            blobs=blobs,
            queue=queue,
            orchestrator=self.orchestrator,
            clock=clock,
            executor=executor_id,
        )
        self.kernel = Kernel(
            ports=ports,
            settings=settings,
            users=users or InProcess(RegistryLoader(), LOCAL_TRANSFERS, lines=lines, echo=echo),
            ids=RandomIds(),
            mode="local",
            scratch=scratch,
            suspends=suspends,
            secrets=EnvironmentSecrets(os.environ),
        )
        self._executor = Executor(self.kernel, lease_s=settings.lease_s)

    def serve(self, pool: str, action: ActionSpec) -> None:
        """See to it that a pool has a worker."""
        if pool in self._workers:
            return
        worker = Worker(
            self.kernel,
            self._executor,
            pool=pool,
            slots=_slots(action),
            visibility_s=self.kernel.settings.lease_s,
        )
        self._served[pool] = worker
        self._workers[pool] = asyncio.create_task(worker.serve())

    @property
    def sweeper(self) -> Sweeper:
        """What puts right what is overdue in the run."""
        return Sweeper(self.kernel)

    @property
    def is_idle(self) -> bool:
        """Whether nothing computes: every attempt under way, if any, waits for others."""
        return all(worker.is_idle for worker in self._served.values())

    async def run_to_end(self, run: RunRecord, *, timeout_s: float | None = None) -> RunRecord:
        """Start a run and return its record once it has ended."""
        await self.orchestrator.start(run, timeout_s=timeout_s)
        sweeping = asyncio.create_task(self.sweeper.watch(run.spec.run_id))
        try:
            with rarer_collections():
                return await self._ended_run(run)
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)

    async def _ended_run(self, run: RunRecord) -> RunRecord:
        store, clock = self.kernel.ports.store, self.kernel.ports.clock
        while True:
            record = await store.get_run(run.spec.run_id)
            if record is not None and record.status.is_terminal:
                if record.status in {Status.ABORTED, Status.TIMED_OUT}:
                    await abort(self.kernel, record.root, "the run ended")
                return record
            await self._ended_or(clock, self.kernel.settings.heartbeat_s)

    async def _ended_or(self, clock: Clock, at_most_s: float) -> None:
        """Wait for the root's end; another process may abort the run, so look at its record now and then."""
        ended = asyncio.create_task(self._ended.wait())
        pause = asyncio.create_task(_sleep(clock, at_most_s))
        _, open_tasks = await asyncio.wait({ended, pause}, return_when=asyncio.FIRST_COMPLETED)
        for task in open_tasks:
            task.cancel()
        await asyncio.gather(*open_tasks, return_exceptions=True)

    async def aclose(self) -> None:
        """Stop the workers."""
        for worker in self._workers.values():
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)
        await self.kernel.users.aclose()
        await self.orchestrator.aclose()


async def _sleep(clock: Clock, delay_s: float) -> None:
    await clock.sleep(delay_s)


def _slots(action: ActionSpec) -> int:
    """Return how much of the pool of an action runs at once here."""
    return slots_of(resolve(action.task.module, action.task.name).env)


def slots_of(environment: TaskEnvironment) -> int:
    """Return how much of an environment's pool runs at once in one process: all that its policy allows."""
    policy = environment.reuse_policy
    return DEFAULT_SLOTS if policy is None else policy.replicas_max * policy.concurrency
