"""Handles of single actions: `upwell.remote.Action` and the details of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from upwell import errors
from upwell._author.context import Mode
from upwell._author.syncify import listing, listing_class, syncify, syncify_class
from upwell._author.task import Task
from upwell._client.backend import Backend, open_backend
from upwell._client.config import current_config, parse_mode
from upwell._client.logs import line_text, line_time, log_query, read_lines
from upwell._client.outputs import ActionInputs, ActionOutputs, decode_inputs, decode_outputs, fetch, task_of
from upwell._client.phase import ActionPhase
from upwell._core.keys import report_key
from upwell._core.model import ROOT_ID, ActionKey, ActionRecord, Attempt, ErrorInfo, Status
from upwell._core.ports import BlobNotFoundError
from upwell._exec.control import find_known, inputs_of, list_known
from upwell._exec.failure import revive

WAIT_MIN_S, WAIT_MAX_S = 0.05, 2.0


class Action:
    """An action of a run, as of the last look. Methods block; each has an `.aio` twin for async code.

    Attributes:
        mode: Backend that it is on.
    """

    def __init__(self, record: ActionRecord, mode: Mode) -> None:
        self._record = record
        self.mode = mode

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, task={self.task_name!r}, phase={str(self.phase)!r})"

    @property
    def name(self) -> str:
        """Its id; the root's is `a0`."""
        return self._record.spec.action_id

    @property
    def run_name(self) -> str:
        """The run."""
        return self._record.spec.run.run_id

    @property
    def parent_name(self) -> str | None:
        """Id of the action that called it; None for the root."""
        return self._record.spec.parent_id

    @property
    def task_name(self) -> str:
        """Full name of its task."""
        return self._record.spec.task.name

    @property
    def phase(self) -> ActionPhase:
        """Where it was at the last look."""
        return ActionPhase.of(self._record.status)

    @property
    def start_time(self) -> datetime | None:
        """When its first attempt began; aware UTC."""
        return _moment(self._record.started_at)

    def done(self) -> bool:
        """Whether it had ended at the last look."""
        return self._record.status.is_terminal

    @syncify
    async def sync(self) -> Action:
        """Look again."""
        async with open_backend(self.mode, current_config()) as backend:
            self._record = await existing_action(backend, self._record.key)
        return self

    @syncify
    async def wait(self) -> None:
        """Wait until it has ended; that it failed raises nothing here."""
        pause_s = WAIT_MIN_S
        while not self.done():
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.2, WAIT_MAX_S)
            await self.sync.aio()

    async def watch(self) -> AsyncIterator[ActionDetails]:
        """Yield its details whenever they have changed, until it has ended."""
        seen = 0
        pause_s = WAIT_MIN_S
        while True:
            if self._record.version != seen:
                seen, pause_s = self._record.version, WAIT_MIN_S
                yield ActionDetails(self._record, self.mode)
            if self.done():
                return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.2, WAIT_MAX_S)
            await self.sync.aio()

    @syncify
    async def details(self) -> ActionDetails:
        """Return all that is known of it."""
        await self.sync.aio()
        return ActionDetails(self._record, self.mode)

    @syncify
    async def abort(self, reason: str = "aborted by the user") -> None:
        """End it and everything below it; its parent gets an `ActionAbortedError` from the call."""
        async with open_backend(self.mode, current_config()) as backend:
            run = await backend.store.get_run(self.run_name)
            assert run is not None  # its action exists
            if self.name == ROOT_ID:
                await backend.abort(run, reason)
            else:
                await backend.abort_action(run, self.name, reason)
        await self.sync.aio()

    @syncify
    async def get_report(self, attempt: int | None = None) -> str | None:
        """Return the report of an attempt as an HTML page; None if it wrote none.

        The page holds what the task put there: show it where scripts can do no harm.

        Args:
            attempt: Its number; None takes the latest that has a report.
        """
        async with open_backend(self.mode, current_config()) as backend:
            return await read_report(backend, self._record.key, attempt, latest=self._record.attempt)

    @listing
    async def get_logs(
        self, attempt: int | None = None, *, filter_system: bool = False, show_ts: bool = False
    ) -> list[str]:
        """Return the lines that it printed and logged.

        `.aio(...)` can be awaited, or iterated over with `async for`.

        Args:
            attempt: Number of one of its attempts; None takes all.
            filter_system: Accepted; there are no lines but those of the task.
            show_ts: Begin each with when it was written.
        """
        async with open_backend(self.mode, current_config()) as backend:
            run = await backend.store.get_run(self.run_name)
            assert run is not None  # its action exists
            query = await log_query(backend.store, run, self.name, attempt=attempt)
            lines = [line async for line in read_lines(backend.logs, query)]
        return [f"{line_time(line)} {line_text(line)}" if show_ts else line_text(line) for line in lines]

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
        """Print the latest of the lines that it printed and logged.

        Args:
            attempt: Number of one of its attempts; None takes all.
            max_lines: How many.
            show_ts: Begin each with when it was written.
            raw: Accepted; lines are printed as they are.
            filter_system: See `get_logs`.
        """
        for line in (await self.get_logs.aio(attempt, show_ts=show_ts))[-max_lines:]:
            print(line)

    @syncify_class
    async def get(cls: type[Action], *, run_name: str, name: str = ROOT_ID, mode: str | None = None) -> Action:
        """Return an action of a run.

        Raises:
            ActionNotFoundError: the run has none of this name, or none yet.
        """
        async with open_backend(_mode(mode), current_config()) as backend:
            record = await existing_action(backend, ActionKey(run_name, name))
            return cls(record, backend.mode)

    @listing_class
    async def listall(
        cls: type[Action],
        *,
        for_run_name: str,
        in_phase: str | tuple[str, ...] | list[str] | None = None,
        parent_name: str | None = None,
        mode: str | None = None,
    ) -> list[Action]:
        """Return the actions of a run, those that began first first; those found in the cache are among them.

        `.aio(...)` can be awaited, or iterated over with `async for`.

        Args:
            for_run_name: The run.
            in_phase: Only those in one of these phases.
            parent_name: Only those that this action called.
            mode: Backend; None takes the configured one.
        """
        phases = (in_phase,) if isinstance(in_phase, str) else in_phase
        async with open_backend(_mode(mode), current_config()) as backend:
            found = [cls(record, backend.mode) async for record in list_known(backend.store, for_run_name)]
        found.sort(key=lambda action: (action._record.started_at or action._record.created_at, action.name))
        return [
            action
            for action in found
            if (phases is None or action.phase in phases)
            and (parent_name is None or action.parent_name == parent_name)
        ]


class ActionDetails(Action):
    """An action with its attempts, values and failure."""

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Its latest attempts."""
        return self._record.attempts

    @property
    def error_info(self) -> ErrorInfo | None:
        """How it failed: code, message, traceback; None if it did not."""
        return self._record.outcome.error if self._record.outcome is not None else None

    @property
    def error_message(self) -> str | None:
        """The message of its failure."""
        return None if self.error_info is None else self.error_info.message

    @property
    def abort_info(self) -> ErrorInfo | None:
        """Why it was aborted; None if it was not."""
        return self.error_info if self._record.status is Status.ABORTED else None

    @property
    def queued_time(self) -> timedelta | None:
        """How long it waited for its first attempt."""
        started_at = self._record.started_at
        return None if started_at is None else timedelta(seconds=started_at - self._record.spec.queued_at)

    @property
    def runtime(self) -> timedelta | None:
        """How long it took from its first attempt to its end; None until then."""
        started_at, ended_at = self._record.started_at, self._record.ended_at
        return None if started_at is None or ended_at is None else timedelta(seconds=ended_at - started_at)

    @property
    def metadata(self) -> dict[str, Any]:
        """Other facts: its group, short name, level below the root, and where a cached result came from."""
        spec, origin = self._record.spec, self._record.cached_from
        return {
            "group": spec.group,
            "short_name": spec.task.short_name,
            "depth": spec.depth,
            "cached_from": None if origin is None else f"{origin.run_id}/{origin.action_id}",
        }

    @syncify
    async def inputs(self) -> ActionInputs:
        """Return its inputs by name."""
        async with open_backend(self.mode, current_config()) as backend:
            inputs = await inputs_of(backend.store, self._record.spec, self._record)
        return await decode_inputs(await self._task(), await fetch(self.mode, inputs))

    @syncify
    async def outputs(self) -> ActionOutputs:
        """Return its outputs.

        Raises:
            RuntimeUserError, RuntimeSystemError: it failed; what its parent got.
            RunStateError: it has not ended.
        """
        outcome = self._record.outcome
        if outcome is None:
            raise errors.RunStateError(
                f"action {self.name} of run {self.run_name} is {self.phase}; wait for it"
            )
        if outcome.error is not None:
            raise revive(outcome.error)
        assert outcome.output is not None  # it succeeded
        return await decode_outputs(await self._task(), await fetch(self.mode, outcome.output))

    async def _task(self) -> Task[..., Any]:
        """Return its task; where it was found in the cache, who made the result knows the module."""
        if self._record.cached_from is None:
            return task_of(self._record.spec)
        async with open_backend(self.mode, current_config()) as backend:
            maker = await backend.store.get(self._record.cached_from)
        return task_of(maker.spec if maker else self._record.spec)


async def existing_action(backend: Backend, key: ActionKey) -> ActionRecord:
    """Return the record of an action.

    Raises:
        ActionNotFoundError: there is none.
    """
    record = await find_known(backend.store, key.run_id, key.action_id)
    if record is None:
        raise errors.ActionNotFoundError(
            f"run {key.run_id!r} has no action {key.action_id!r}; `upwell get actions {key.run_id}` lists them"
        )
    return record


async def read_report(backend: Backend, key: ActionKey, attempt: int | None, *, latest: int) -> str | None:
    """Return a report, of one attempt or of the latest that has one."""
    for number in [attempt] if attempt is not None else range(latest, 0, -1):
        try:
            return (await backend.blobs.get(report_key(key.run_id, key.action_id, number))).decode()
        except BlobNotFoundError:
            continue
    return None


def _moment(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)


def _mode(mode: str | None) -> Mode:
    return current_config().mode if mode is None else parse_mode(mode)
