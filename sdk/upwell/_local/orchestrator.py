"""The state machine's steps, on the store: for runs whose executors are this process."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from upwell._core.model import ErrorInfo, Outcome, RunRecord, Status
from upwell._core.ports import ActionQueue, Clock, RunExistsError, StateStore
from upwell._core.wire import Message
from upwell.errors import RunNotFoundError

logger = logging.getLogger(__name__)


class LocalOrchestrator:
    """`Orchestrator` for one process.

    A root message carries a token that names the generation, as a state machine's token names an execution:
    what comes back from an earlier generation of a recovered run is not recorded.

    Args:
        store: Where run records are.
        queue: Where root actions go.
        clock: Run timeouts pass on this clock, and the ends of runs are read from it.
    """

    def __init__(self, store: StateStore, queue: ActionQueue, clock: Clock) -> None:
        self._store = store
        self._queue = queue
        self._clock = clock
        self._timers: dict[str, asyncio.Task[None]] = {}

    async def start(self, run: RunRecord, *, timeout_s: float | None = None) -> None:
        """Write the run record and send the root action.

        Raises:
            RunExistsError: a run of this name and generation was started before.
        """
        if not await self._write(run):
            raise RunExistsError(
                f"run {run.spec.run_id!r} (generation {run.spec.generation}) was started before; "
                "use another run id, or recover the run"
            )
        if timeout_s is not None:
            self._watch(run, timeout_s)
        await self._queue.send(run.root.task.pool, [Message(action=run.root, task_token=_token(run))])

    async def _write(self, run: RunRecord) -> bool:
        if await self._store.save_run(run, expected=None):
            return True
        existing = await self._store.get_run(run.spec.run_id)
        if existing is None or existing.spec.generation >= run.spec.generation:
            return False
        successor = replace(run, version=existing.version + 1)
        return await self._store.save_run(successor, expected=existing.version)

    async def root_ended(self, run_id: str, task_token: str | None, outcome: Outcome) -> None:
        """Record how the root action ended; repeating it changes nothing."""
        generation = int(task_token.rpartition("#")[2]) if task_token else None
        if await self._end(run_id, outcome, generation):
            self._unwatch(run_id)

    async def stop(self, run_id: str, reason: str) -> None:
        """End a run as ABORTED; nothing happens when it has ended already.

        Raises:
            RunNotFoundError: there is no such run.
        """
        if await self._store.get_run(run_id) is None:
            raise RunNotFoundError(f"there is no run {run_id!r}; `upwell get runs` lists them")
        error = ErrorInfo(code="ActionAbortedError", message=reason, recoverable=False)
        if await self._end(run_id, Outcome(status=Status.ABORTED, error=error)):
            self._unwatch(run_id)

    async def settle(self, run: RunRecord, outcome: Outcome) -> None:
        """Record the end of a run's root."""
        if await self._end(run.spec.run_id, outcome, run.spec.generation):
            self._unwatch(run.spec.run_id)

    async def aclose(self) -> None:
        """Stop watching for timeouts."""
        timers = list(self._timers.values())
        for timer in timers:
            timer.cancel()
        await asyncio.gather(*timers, return_exceptions=True)

    async def _end(self, run_id: str, outcome: Outcome, generation: int | None = None) -> bool:
        """Record an end; return False when there is nothing (any more) to end."""
        while True:
            run = await self._store.get_run(run_id)
            if run is None or run.status.is_terminal or generation not in (None, run.spec.generation):
                return False
            ended = replace(
                run,
                status=outcome.status,
                version=run.version + 1,
                ended_at=self._clock.now(),
                outcome=outcome,
            )
            if await self._store.save_run(ended, expected=run.version):
                return True

    def _watch(self, run: RunRecord, timeout_s: float) -> None:
        self._unwatch(run.spec.run_id)
        timer = asyncio.ensure_future(self._time_out(run, timeout_s))
        self._timers[run.spec.run_id] = timer

    def _unwatch(self, run_id: str) -> None:
        if (timer := self._timers.pop(run_id, None)) is not None:
            timer.cancel()

    async def _time_out(self, run: RunRecord, timeout_s: float) -> None:
        await self._clock.sleep(timeout_s)
        run_id = run.spec.run_id
        self._timers.pop(run_id, None)
        text = f"run {run_id} was not done {timeout_s:g} s after its start"
        error = ErrorInfo(code="DeadlineExceededError", message=text, recoverable=False)
        try:
            await self._end(run_id, Outcome(status=Status.TIMED_OUT, error=error), run.spec.generation)
        except Exception:
            logger.exception("a run's timeout could not be recorded", extra={"run_id": run_id})


def _token(run: RunRecord) -> str:
    return f"{run.spec.run_id}#{run.spec.generation}"
