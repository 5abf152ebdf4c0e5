"""A handle of a run: where it is, how it ended, what it gave."""

from __future__ import annotations

import asyncio
from typing import Any

from upwell import errors
from upwell._author.registry import resolve
from upwell._author.task import Task
from upwell._client.backend import Backend, open_backend
from upwell._client.config import current_config
from upwell._client.syncify import Bound, syncify
from upwell._core.model import ActionKey, RunRecord, Status
from upwell._exec.failure import revive
from upwell._exec.payloads import unpack
from upwell._types.blocking import off_loop

WAIT_MIN_S, WAIT_MAX_S = 0.05, 2.0


class ActionOutputs(tuple[Any, ...]):
    """The outputs of an action: a tuple, and by name in `named_outputs` (`o0`, `o1`, ... or field names)."""

    named_outputs: dict[str, Any]

    @classmethod
    def of(cls, named: dict[str, Any]) -> ActionOutputs:
        """Make it of names and values."""
        outputs = cls(named.values())
        outputs.named_outputs = named
        return outputs


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
        return f"Run(name={self.name!r}, task={self._record.task!r}, phase={self.phase!r})"

    @property
    def name(self) -> str:
        """The run id."""
        return self._record.spec.run_id

    @property
    def url(self) -> str:
        """Where to look at the run: a URL, or locally the state folder."""
        return self._url

    @property
    def phase(self) -> str:
        """`running`, `succeeded`, `failed`, `aborted` or `timed_out`, as of the last look."""
        return self._record.status.value.lower()

    @property
    def action(self) -> ActionKey:
        """The root action."""
        return ActionKey(self.name, self._record.root.action_id)

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
    async def wait(self, quiet: bool = False, timeout: float | None = None) -> None:
        """Wait until the run has ended; that it failed raises nothing here.

        Args:
            quiet: Accepted for programs written elsewhere; nothing is printed in any case.
            timeout: Longest wait in seconds.

        Raises:
            TimeoutError: it has not ended by then.
        """
        if self.done():
            return
        pause_s = WAIT_MIN_S
        async with asyncio.timeout(timeout), open_backend(_mode(self.mode), current_config()) as backend:
            while not self.done():
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 1.2, WAIT_MAX_S)
                await self._look(backend)

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
        async with open_backend(_mode(self.mode), current_config()) as backend:
            data = await unpack(backend.blobs, outcome.output)
        interface = self._resolved().interface
        value = await off_loop(interface.decode_output, data, is_slow=interface.output_moves_data)
        values = interface.outputs_of(value)
        return ActionOutputs.of(dict(zip(interface.output_names, values, strict=True)))

    @syncify
    async def inputs(self) -> dict[str, Any]:
        """Return the inputs of the root task by name."""
        async with open_backend(_mode(self.mode), current_config()) as backend:
            data = await unpack(backend.blobs, self._record.root.inputs)
        interface = self._resolved().interface
        return await off_loop(interface.decode_inputs, data, is_slow=interface.inputs_move_data)

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

    @classmethod
    def get(cls, name: str, mode: str | None = None) -> Run:
        """Return the handle of an existing run.

        Raises:
            RunNotFoundError: there is none of this name.
        """
        return Bound(_get)(name, mode)

    @classmethod
    def listall(cls, limit: int = 100, mode: str | None = None) -> list[Run]:
        """Return the newest runs, newest first."""
        return Bound(_listall)(limit, mode)

    def _resolved(self) -> Task[..., Any]:
        if self._task is None:
            spec = self._record.root.task
            self._task = resolve(spec.module, spec.name)
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


async def _get(name: str, mode: str | None = None) -> Run:
    async with open_backend(_mode(mode), current_config()) as backend:
        return handle(backend, await existing_run(backend, name), None)


async def _listall(limit: int, mode: str | None = None) -> list[Run]:
    async with open_backend(_mode(mode), current_config()) as backend:
        records = await backend.store.list_runs(limit)
        return [handle(backend, record, None) for record in records]


async def existing_run(backend: Backend, name: str) -> RunRecord:
    """Return the record of a run.

    Raises:
        RunNotFoundError: there is none of this name.
    """
    record = await backend.store.get_run(name)
    if record is None:
        raise errors.RunNotFoundError(f"there is no run {name!r}; `upwell get runs` lists them")
    return record


def _mode(mode: str | None) -> Any:
    from upwell._client.config import parse_mode

    return current_config().mode if mode is None else parse_mode(mode)
