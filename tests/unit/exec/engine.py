"""Runs tasks on the engine of one machine, with settings and in situations of a test's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from upwell._author.task import Task
from upwell._client.options import RunOptions
from upwell._client.submit import new_run
from upwell._core.model import ActionRecord, RunRecord
from upwell._exec.boundary import Users
from upwell._exec.control import list_known
from upwell._local.blobs import FolderBlobs
from upwell._local.log_files import FileLogs
from upwell._local.platform import LOCAL_SETTINGS, LocalPlatform
from upwell._local.sqlite import SqliteStore
from upwell.testing.flows import FlowResult, result_of

RUN_ID = "run"
LOG = "lines.jsonl"
"""Where the test has lines of tasks put, if it does."""


@dataclass
class Engine:
    """A platform and its store."""

    store: SqliteStore
    platform: LocalPlatform
    log: Path

    async def run(self, task: Task[..., Any], *args: Any, **options: Any) -> FlowResult:
        """Run a task to its end."""
        ended = await self.platform.run_to_end(await self.submission(task, *args, **options))
        logs = FileLogs(lambda _: [self.log])
        return await result_of(self.store, self.platform.kernel.ports.blobs, logs, ended, task)

    async def submission(self, task: Task[..., Any], *args: Any, **options: Any) -> RunRecord:
        """Return the record of a new run of a task."""
        encoded = task.interface.encode_inputs(task.interface.bind(args, {}))
        blobs, now = self.platform.kernel.ports.blobs, time.time()
        run_id = options.get("name", RUN_ID)
        return await new_run(blobs, task, encoded, RunOptions(**options), run_id=run_id, bundle=None, now=now)

    async def actions_of(self, task: Task[..., Any]) -> list[ActionRecord]:
        """Return the actions of a task as they are now."""
        return [a async for a in list_known(self.store, RUN_ID) if a.spec.task.name == task.name]

    async def action_of(self, task: Task[..., Any]) -> ActionRecord:
        """Return the only action of a task."""
        (action,) = await self.actions_of(task)
        return action


@asynccontextmanager
async def engine(
    root: Path, *, suspends: bool = False, users: Users | None = None, **settings: Any
) -> AsyncIterator[Engine]:
    """Open an engine with settings other than the local ones."""
    store = SqliteStore(root / "state.db")
    changed = replace(LOCAL_SETTINGS, **settings)
    platform = LocalPlatform(
        store, FolderBlobs(root / "blobs"), root / "scratch", settings=changed, suspends=suspends, users=users
    )
    try:
        yield Engine(store, platform, root / LOG)
    finally:
        await platform.aclose()
        store.close()


async def until(condition: Callable[[], Awaitable[bool]], within_s: float = 10.0) -> None:
    """Return when a condition holds."""
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110  # it may be a state of the store
            await asyncio.sleep(0.005)
