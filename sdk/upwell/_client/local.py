"""The local backend of the client."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from upwell._author.context import Mode
from upwell._author.environment import TaskEnvironment
from upwell._client.config import Config, console_page
from upwell._core.commands import Abort
from upwell._core.model import ActionKey, Executor, RunRecord, SecretSpec, Status
from upwell._core.ports import BlobStore, Logs, Ports
from upwell._core.scaling import ScalingEvent
from upwell._core.sizes import cut
from upwell._exec.control import abort_named, control_kernel
from upwell._exec.environment import SystemClock
from upwell._exec.transition import transition
from upwell._local.blobs import FolderBlobs
from upwell._local.environment_secrets import EnvironmentSecrets
from upwell._local.log_files import FileLogs, LogFile, run_log
from upwell._local.orchestrator import LocalOrchestrator
from upwell._local.platform import LOCAL_SETTINGS, LOCAL_TRANSFERS, LocalPlatform
from upwell._local.queue import MemoryQueue
from upwell._local.sqlite import SqliteStore
from upwell.errors import RunStateError


class LocalBackend:
    """Runs in this process, over the state folder.

    A run belongs to one process at a time: it holds a lock file, which the operating system frees when the
    process ends, however it ends.
    """

    mode: Mode = "local"
    transfers = LOCAL_TRANSFERS

    def __init__(
        self, store: SqliteStore, root: Path, console_url: str | None = None, *, quiet: bool = False
    ) -> None:
        self.store = store
        self.blobs: BlobStore = FolderBlobs(root / "blobs")
        self._lines = root / "logs"
        self.logs: Logs = FileLogs(lambda query: [run_log(self._lines, query.run_id)])
        self._root = root
        self._console_url = console_url
        self._quiet = quiet

    async def prepare(self, pools: dict[str, TaskEnvironment]) -> None:
        """Pools exist by being used."""

    async def start(self, run: RunRecord, *, timeout_s: float | None) -> RunRecord:
        """Run to the end."""
        lock = self._lock(run.spec.run_id)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunStateError(
                f"run {run.spec.run_id!r} is under way in another process; wait for it, or `upwell abort` it"
            ) from None
        lines = LogFile(run_log(self._lines, run.spec.run_id))
        platform = LocalPlatform(
            self.store, self.blobs, self._root / "scratch", lines=lines.write, echo=not self._quiet
        )
        try:
            return await platform.run_to_end(run, timeout_s=timeout_s)
        finally:
            await platform.aclose()
            lines.close()
            lock.release()

    async def abort(self, run: RunRecord, reason: str) -> None:
        """End a run; the process that runs it notices within a second."""
        reason = cut(reason)
        clock = SystemClock()
        orchestrator = LocalOrchestrator(self.store, MemoryQueue(clock), clock)
        await orchestrator.stop(run.spec.run_id, reason)
        root = run.root
        await transition(
            self.store,
            clock,
            ActionKey(run.spec.run_id, root.action_id),
            Abort(spec=root, reason=reason),
            known=None,
        )

    async def abort_action(self, run: RunRecord, action_id: str, reason: str) -> Status:
        """End an action; the process that runs it notices within a second, and so does its parent."""
        clock = SystemClock()
        queue = MemoryQueue(clock)  # the real one is in the run's process; nothing has to be sent there
        ports = Ports(
            store=self.store,
            blobs=self.blobs,
            queue=queue,
            orchestrator=LocalOrchestrator(self.store, queue, clock),
            clock=clock,
            executor=Executor(kind="client", id=""),
        )
        kernel = control_kernel(ports, LOCAL_SETTINGS, self.mode)
        return await abort_named(kernel, run.spec.run_id, action_id, reason)

    async def is_alive(self, run: RunRecord) -> bool:
        """Whether a process holds the run's lock."""
        lock = self._lock(run.spec.run_id)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

    async def backlog(self, pool: str) -> int | None:
        """Return None: the queues of local runs are in their processes."""
        return None

    async def scaling(self, pool: str) -> list[ScalingEvent]:
        """Return none: the executors of a local run are its process."""
        return []

    async def secrets(self, secrets: Sequence[SecretSpec]) -> dict[str, str]:
        """Return what is not among the variables of this process under its own name."""
        return await EnvironmentSecrets(os.environ).variables(secrets)

    def describe(self, run: RunRecord) -> str:
        """Return the address of the run's page in the console, which `upwell console` serves."""
        return console_page(self._console_url, run.spec.run_id)

    def _lock(self, run_id: str) -> FileLock:
        folder = self._root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{run_id}.lock")


@asynccontextmanager
async def open_local(config: Config) -> AsyncIterator[LocalBackend]:
    """Open the state folder of a configuration."""
    config.state_dir.mkdir(parents=True, exist_ok=True)
    store = SqliteStore(config.state_dir / "state.db")
    try:
        yield LocalBackend(store, config.state_dir, config.console_url, quiet=config.quiet)
    finally:
        store.close()
