"""Runs flows in process, on the local backend."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upwell._author.task import Task
from upwell._client.logs import log_query, read_lines
from upwell._client.options import RunOptions
from upwell._client.submit import encode_root_inputs, new_run, new_run_id, next_generation
from upwell._core.log_lines import LogLine
from upwell._core.model import ActionRecord, RunRecord, Status
from upwell._core.ports import BlobStore, Logs, StateStore
from upwell._exec.control import list_known
from upwell._exec.failure import revive
from upwell._exec.payloads import unpack
from upwell._local.blobs import FolderBlobs
from upwell._local.log_files import FileLogs, LogFile, run_log
from upwell._local.platform import LocalPlatform
from upwell._local.sqlite import SqliteStore
from upwell.testing.clock import SkippingClock

IDLE_LOOK_S = 0.002


@dataclass(frozen=True, slots=True)
class FlowResult:
    """How a flow ended.

    Attributes:
        run: The run's record.
        actions: Every action of the run, in the order in which they were first claimed.
        value: What the root task returned; None if it failed.
        error: What awaiting the root task would have raised; None if it succeeded.
        lines: What the tasks printed and logged.
    """

    run: RunRecord
    actions: list[ActionRecord]
    value: Any
    error: Exception | None
    lines: Sequence[LogLine] = ()

    def unwrap(self) -> Any:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value

    def actions_of(self, task: str | Task[..., Any]) -> list[ActionRecord]:
        """Return the actions of one task, given as itself, `env.fn` or `fn`."""
        name = task if isinstance(task, str) else task.name
        return [a for a in self.actions if name in {a.spec.task.name, a.spec.task.name.partition(".")[2]}]


class LocalFlows:
    """Runs flows on the local backend, in a folder of the test's own.

    Args:
        root: Where state is kept; running again in it with the same name goes on with a run.
        clock: A clock that skips: when everything waits for time to pass, it passes.
    """

    def __init__(self, root: str | Path, clock: SkippingClock | None = None) -> None:
        self._root = Path(root)
        self.clock = clock or SkippingClock()

    def run(self, task: Task[..., Any], *args: Any, **kwargs: Any) -> FlowResult:
        """Run a flow to its end; see `arun`."""
        return asyncio.run(self.arun(task, *args, **kwargs))

    async def arun(self, task: Task[..., Any], *args: Any, **kwargs: Any) -> FlowResult:
        """Run a flow to its end. A failure is in the result; wrong inputs raise."""
        return await self.arun_with(RunOptions(), task, *args, **kwargs)

    async def arun_with(
        self, options: RunOptions, task: Task[..., Any], *args: Any, **kwargs: Any
    ) -> FlowResult:
        """Run a flow with options: a name, custom context, environment variables, cache mode, timeout."""
        encoded = encode_root_inputs(task, task.interface.bind(args, kwargs))
        store = SqliteStore(self._root / "state.db")
        blobs = FolderBlobs(self._root / "blobs")
        try:
            record = await submission(store, blobs, task, encoded, options, self.clock.now())
            lines = LogFile(run_log(self._root / "logs", record.spec.run_id))
            platform = LocalPlatform(store, blobs, self._root / "scratch", clock=self.clock, lines=lines.write)
            skipper = asyncio.create_task(skip_idle(self.clock, lambda: platform.is_idle))
            try:
                ended = await platform.run_to_end(record, timeout_s=options.timeout_s)
            finally:
                skipper.cancel()
                with suppress(asyncio.CancelledError):
                    await skipper
                await platform.aclose()
                lines.close()
            logs = FileLogs(lambda query: [run_log(self._root / "logs", query.run_id)])
            return await result_of(store, blobs, logs, ended, task)
        finally:
            store.close()


async def submission(
    store: StateStore,
    blobs: BlobStore,
    task: Task[..., Any],
    encoded: bytes,
    options: RunOptions,
    now: float,
) -> RunRecord:
    """Return the record to start: of a new run, or of the recovery of one that exists under the name."""
    earlier = await store.get_run(options.name) if options.name else None
    if earlier is not None:
        return next_generation(earlier, now)
    run_id = options.name or new_run_id(now)
    return await new_run(blobs, task, encoded, options, run_id=run_id, bundle=None, now=now)


async def result_of(
    store: StateStore, blobs: BlobStore, logs: Logs, run: RunRecord, task: Task[..., Any]
) -> FlowResult:
    """Return the result of a run that has ended."""
    actions = [action async for action in list_known(store, run.spec.run_id)]
    actions.sort(key=lambda a: (a.started_at or a.created_at, a.spec.action_id))
    outcome = run.outcome
    value, error = None, None
    if outcome is not None and outcome.error is not None:
        error = revive(outcome.error)
    elif run.status is Status.SUCCEEDED and outcome is not None and outcome.output is not None:
        value = task.interface.decode_output(await unpack(blobs, outcome.output))
    lines = [line async for line in read_lines(logs, await log_query(store, run))]
    return FlowResult(run, actions, value, error, lines)


async def skip_idle(clock: SkippingClock, is_idle: Callable[[], bool]) -> None:
    """Skip to the next due time whenever nothing computes; until cancelled."""
    while True:
        seen = time.monotonic()
        await asyncio.sleep(IDLE_LOOK_S)
        if is_idle() and time.monotonic() - seen < 10 * IDLE_LOOK_S:
            clock.skip_to_next()
