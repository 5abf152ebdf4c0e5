"""A handle of a run: where it is, how it ended, what it gave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Literal

from upwell import errors
from upwell._author.context import ActionID
from upwell._author.syncify import listing, listing_class, syncify, syncify_class
from upwell._author.task import Task
from upwell._client.action_handle import ActionDetails, existing_action
from upwell._client.backend import Backend, open_backend
from upwell._client.config import current_config
from upwell._client.documents import INTERRUPTED
from upwell._client.outputs import ActionInputs, ActionOutputs, decode_inputs, decode_outputs, fetch, task_of
from upwell._client.phase import ActionPhase
from upwell._client.run_list import RUN_STATES, RunFilter, newest_runs, run_states
from upwell._core.model import ActionKey, RunRecord, Status
from upwell._exec.failure import revive

WAIT_MIN_S, WAIT_MAX_S = 0.05, 2.0


class Run:
    """A run. Methods block; each has an `.aio` twin for async code.

    Attributes:
        mode: Backend that the run is on.
    """

    def __init__(self, record: RunRecord, mode: str, url: str, task: Task[..., Any] | None = None) -> None:
        self._record = record
        self._task = task
        self._url = url
        self.mode = mode

    def __repr__(self) -> str:
        return f"Run(name={self.name!r}, task={self._record.task!r}, phase={str(self.phase)!r})"

    @property
    def name(self) -> str:
        """The run id."""
        return self._record.spec.run_id

    @property
    def url(self) -> str:
        """Where to look at the run: its page in the console, which `upwell console` opens.

        On AWS, its execution in the console of Step Functions, unless `console_url` is configured.
        """
        return self._url

    @property
    def phase(self) -> ActionPhase:
        """`running`, `succeeded`, `failed`, `aborted` or `timed_out`, as of the last look."""
        return ActionPhase.of(self._record.status)

    @property
    def action(self) -> ActionID:
        """Names the root action."""
        return ActionID(self._record.root.action_id, self.name)

    def done(self) -> bool:
        """Whether the run had ended at the last look."""
        return self._record.status.is_terminal

    @syncify
    async def sync(self) -> Run:
        """Look again."""
        async with open_backend(_mode(self.mode), current_config()) as backend:
            await self._look(backend)
        return self

    async def _look(self, backend: Backend) -> None:
        """Take the stored record, unless this submission's is not written yet: the state machine does that."""
        record = await backend.store.get_run(self.name)
        if record is not None and record.spec.generation >= self._record.spec.generation:
            self._record = record

    @syncify
    async def wait(
        self,
        quiet: bool = False,
        wait_for: Literal["terminal", "running"] = "terminal",
        timeout: float | None = None,
    ) -> None:
        """Wait until the run has ended; that it failed raises nothing here.

        Args:
            quiet: Accepted for programs written elsewhere; nothing is printed in any case.
            wait_for: `running` returns when the root action has been started, `terminal` when it has ended.
            timeout: Longest wait in seconds.

        Raises:
            TimeoutError: it has not ended by then.
        """
        if self.done():
            return
        pause_s = WAIT_MIN_S
        async with asyncio.timeout(timeout), open_backend(_mode(self.mode), current_config()) as backend:
            while not (self.done() or (wait_for == "running" and await self._has_begun(backend))):
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 1.2, WAIT_MAX_S)
                await self._look(backend)

    async def _has_begun(self, backend: Backend) -> bool:
        root = await backend.store.get(self._root_key)
        return root is not None and root.started_at is not None

    @syncify
    async def outputs(self) -> ActionOutputs:
        """Return the outputs, waiting for the end first.

        Raises:
            RuntimeUserError, RuntimeSystemError: the run failed; what the root task raised.
        """
        await self.raise_for_status.aio()
        outcome = self._record.outcome
        assert outcome is not None  # it succeeded
        assert outcome.output is not None
        data = await fetch(_mode(self.mode), outcome.output)
        return await decode_outputs(self._resolved(), data)

    @syncify
    async def inputs(self) -> ActionInputs:
        """Return the inputs of the root task by name."""
        data = await fetch(_mode(self.mode), self._record.root.inputs)
        return await decode_inputs(self._resolved(), data)

    @syncify
    async def raise_for_status(self) -> None:
        """Wait for the end, and raise what awaiting the root task would have raised."""
        await self.wait.aio()
        outcome = self._record.outcome
        if outcome is not None and outcome.error is not None:
            raise revive(outcome.error)
        if self._record.status is not Status.SUCCEEDED:
            raise errors.RuntimeSystemError(self._record.status.value, f"run {self.name} is {self.phase}")

    @syncify
    async def abort(self, reason: str = "aborted by the user") -> None:
        """End the run and everything in it."""
        async with open_backend(_mode(self.mode), current_config()) as backend:
            await backend.abort(self._record, reason)
            await self._look(backend)

    @syncify
    async def abort_action(self, action: str, reason: str = "aborted by the user") -> None:
        """End one action and everything below it; its parent gets an `ActionAbortedError` from the call.

        Args:
            action: Its id, as `ctx().action.name` or `upwell get actions` gives it.
            reason: Recorded with it.

        Raises:
            ActionNotFoundError: the run has no such action.
        """
        if action == self._record.root.action_id:
            await self.abort.aio(reason)
            return
        async with open_backend(_mode(self.mode), current_config()) as backend:
            await backend.abort_action(self._record, action, reason)

    @syncify
    async def details(self) -> ActionDetails:
        """Return all that is known of the root action."""
        async with open_backend(_mode(self.mode), current_config()) as backend:
            return ActionDetails(await existing_action(backend, self._root_key), backend.mode)

    @syncify
    async def first_failure(self) -> ActionDetails | None:
        """Return the action that failed first; None when none did."""
        async with open_backend(_mode(self.mode), current_config()) as backend:
            records = [record async for record in backend.store.list_actions(self.name)]
            failed = [record for record in records if record.outcome is not None and record.outcome.error]
            first = min(failed, key=lambda record: record.ended_at or 0.0, default=None)
            return None if first is None else ActionDetails(first, backend.mode)

    @syncify
    async def get_report(self, attempt: int | None = None) -> str | None:
        """Return the root action's report as an HTML page; None if it wrote none. See `Action.get_report`."""
        return await (await self.details.aio()).get_report.aio(attempt)

    @listing
    async def get_logs(
        self, attempt: int | None = None, *, filter_system: bool = False, show_ts: bool = False
    ) -> list[str]:
        """Return the lines that the root action printed and logged. See `Action.get_logs`."""
        return await (await self.details.aio()).get_logs.aio(
            attempt, filter_system=filter_system, show_ts=show_ts
        )

    @syncify
    async def show_logs(
        self,
        attempt: int | None = None,
        max_lines: int = 100,
        *,
        show_ts: bool = False,
        raw: bool = False,
        filter_system: bool = False,
    ) -> None:
        """Print the latest lines of the root action. See `Action.show_logs`."""
        await (await self.details.aio()).show_logs.aio(
            attempt, max_lines, show_ts=show_ts, raw=raw, filter_system=filter_system
        )

    async def watch(self) -> AsyncIterator[ActionDetails]:
        """Yield the details of the root action whenever they have changed, until it has ended."""
        await self.wait.aio(wait_for="running")
        async for details in (await self.details.aio()).watch():
            yield details

    @syncify_class
    async def get(cls: type[Run], name: str, mode: str | None = None) -> Run:
        """Return the handle of an existing run.

        Raises:
            RunNotFoundError: there is none of this name.
        """
        async with open_backend(_mode(mode), current_config()) as backend:
            return handle(backend, await existing_run(backend, name), None)

    @listing_class
    async def listall(
        cls: type[Run],
        *,
        in_phase: str | tuple[str, ...] | list[str] | None = None,
        task_name: str | None = None,
        labels: Mapping[str, str] | None = None,
        limit: int = 100,
        mode: str | None = None,
    ) -> list[Run]:
        """Return the newest runs, newest first.

        `.aio(...)` can be awaited, or iterated over with `async for`.

        Args:
            in_phase: Only those in one of these phases; `interrupted` takes of the running ones those that
                nothing works on.
            task_name: Only those of this task, by its full name or its function's.
            labels: Only those that have these labels.
            limit: How many at most.
            mode: Backend; None takes the configured one.

        Raises:
            UsageError: there is no such phase.
        """
        phases = (in_phase,) if isinstance(in_phase, str) else in_phase
        states = _states_in(phases or ())
        if phases is not None and not states:
            return []
        wanted = RunFilter(states=states, task=task_name, labels=tuple((labels or {}).items()))
        async with open_backend(_mode(mode), current_config()) as backend:
            return [handle(backend, found.run, None) for found in await newest_runs(backend, wanted, limit)]

    @property
    def _root_key(self) -> ActionKey:
        return ActionKey(self.name, self._record.root.action_id)

    def _resolved(self) -> Task[..., Any]:
        if self._task is None:
            self._task = task_of(self._record.root)
        return self._task


def handle(backend: Backend, record: RunRecord, task: Task[..., Any] | None) -> Run:
    """Return a handle of a run."""
    return Run(record, backend.mode, backend.describe(record), task)


def finished(backend: Backend, record: RunRecord, task: Task[..., Any] | None) -> Run:
    """Return a handle of a run that was started; a local one that failed raises what its task raised."""
    run = handle(backend, record, task)
    if backend.mode == "local" and record.outcome is not None and record.outcome.error is not None:
        error = revive(record.outcome.error)
        error.add_note(f"run {run.name} {run.phase}; `upwell recover {run.name}` goes on from here")
        raise error
    return run


async def existing_run(backend: Backend, name: str) -> RunRecord:
    """Return the record of a run.

    Raises:
        RunNotFoundError: there is none of this name.
    """
    record = await backend.store.get_run(name)
    if record is None:
        raise errors.RunNotFoundError(f"there is no run {name!r}; `upwell get runs` lists them")
    return record


def _states_in(phases: Iterable[str]) -> frozenset[str]:
    """Return the states of runs in phases. An interrupted one is in phase `running`; in some no run ever is.

    Raises:
        UsageError: there is no such phase.
    """
    of_actions_alone = frozenset(ActionPhase).difference(RUN_STATES)
    states = run_states(frozenset(phases) - of_actions_alone, "in_phase")
    return states | {INTERRUPTED} if ActionPhase.RUNNING in states else states


def _mode(mode: str | None) -> Any:
    from upwell._client.config import parse_mode

    return current_config().mode if mode is None else parse_mode(mode)
