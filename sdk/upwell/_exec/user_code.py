"""The user's half of an attempt: inputs in, output out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextvars import Context, copy_context
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from upwell import errors
from upwell._author.context import ActionID, GroupData, TaskContext, current
from upwell._author.report import Report
from upwell._author.task import Task
from upwell._core.keys import report_key
from upwell._core.model import ActionSpec, Status
from upwell._core.sizes import too_large
from upwell._exec.batch_run import BatchRun
from upwell._exec.boundary import Ended, Host, Start
from upwell._exec.failure import describe
from upwell._exec.laps import Laps
from upwell._exec.logs.attempt_log import AttemptLog, LineSink, log_of
from upwell._exec.logs.capture import captured
from upwell._exec.session import Session
from upwell._exec.stopwatch import Stopwatch
from upwell._exec.threads import TaskThread
from upwell._exec.user_calls import exited, guarded, is_ours, over
from upwell._exec.variables import process_variables
from upwell._types.blocking import off_loop
from upwell._types.io_context import IoContext, set_io_context, use_io_context
from upwell._types.pickled import pickle_refused_by
from upwell._types.transfers.transfer import BlobTransfer

STOP_S = 1.0
"""How long a sync task that was stopped may take to notice, when it next asks the engine for something."""


class Loader(Protocol):
    """Finds the task of an action in this process."""

    async def load(self, spec: ActionSpec) -> Task[..., Any]:
        """Return the task.

        Raises:
            TaskNotFoundError: the module has no such task.
        """


class InProcess:
    """Runs the users' code in the engine's own process.

    Args:
        loader: Finds tasks.
        transfers: How files and directories move, by URI scheme.
        lines: Takes what they print and log; None leaves that alone.
        echo: Whether it is also shown where it would have been.
    """

    def __init__(
        self,
        loader: Loader,
        transfers: Mapping[str, BlobTransfer],
        *,
        lines: LineSink | None = None,
        echo: bool = True,
    ) -> None:
        self._loader = loader
        self._transfers = transfers
        self._lines = lines
        self._echo = echo

    def prepare(self) -> None:
        """See `Users.prepare`."""

    async def aclose(self) -> None:
        """See `Users.aclose`."""

    def attempt(self, start: Start, inputs: bytes, host: Host) -> TaskRun:
        """See `Users.attempt`."""
        log = None if self._lines is None else log_of(start, self._lines, host.now, echo=self._echo)
        return TaskRun(start, inputs, host, self._loader, self._transfers, log)


class TaskRun:
    """One run of a task's function.

    Args:
        start: The attempt.
        inputs: Encoded.
        host: The engine's half.
        loader: Finds the task.
        transfers: How files and directories move, by URI scheme.
        log: Takes what it prints and logs; None leaves that alone.
    """

    def __init__(
        self,
        start: Start,
        inputs: bytes,
        host: Host,
        loader: Loader,
        transfers: Mapping[str, BlobTransfer],
        log: AttemptLog | None = None,
    ) -> None:
        self._start = start
        self._log = log
        self._spec = start.spec
        self._inputs = inputs
        self._loader = loader
        self._io = IoContext(
            raw_data_prefix=start.raw_data_prefix, scratch_dir=Path(start.scratch), transfers=transfers
        )
        self._session = Session(start, host, self._io)
        self._threads: list[TaskThread[Any]] = []
        self._batch: BatchRun | None = None
        self._report = Report(start.spec.task.name)
        self._ran_s = 0.0
        self._laps = Laps(host.now)

    async def idle_s(self) -> float:
        """See `UserCode.idle_s`."""
        return self._session.idle_s()

    async def run(self) -> Ended:
        """See `UserCode.run`. Whatever the task's function raises becomes an end.

        Raises:
            UnavailableError: a service is out of reach; the task is not to blame and must be tried again.
        """
        try:
            with captured(self._log), use_io_context(self._io):
                if self._spec.items > 1:
                    return await self._items()
                output = await self._output()
            phases = self._laps.so_far()
            return Ended(
                status=Status.SUCCEEDED,
                data=output,
                ran_s=self._ran_s,
                ahead=self._session.ahead,
                traces_left=self._session.traces_left,
                phases=phases,
            )
        except asyncio.CancelledError as e:
            if is_ours():
                raise
            return self._failed(e)
        except _LimitPassedError as e:
            phases = self._laps.so_far()
            return Ended(status=Status.TIMED_OUT, error=describe(e.error, self._start.worker), phases=phases)
        except (KeyboardInterrupt, errors.UnavailableError):
            raise
        except SystemExit as e:  # of a sync task
            return self._failed(exited(e))
        except BaseException as e:
            return self._failed(e)
        finally:
            self._session.stop()

    async def leaves_a_thread(self) -> bool:
        """Whether a sync task that was given up goes on all the same; asked after `run`."""
        threads = self._threads if self._batch is None else self._batch.threads
        return any([await thread.is_alive(after_s=STOP_S) for thread in threads])

    def _failed(self, error: BaseException) -> Ended:
        error_info = describe(error, self._start.worker)
        return Ended(status=Status.FAILED, error=error_info, ran_s=self._ran_s, phases=self._laps.so_far())

    async def _items(self) -> Ended:
        self._laps.enter("bundle_s")
        task = await self._loader.load(self._spec)
        self._laps.enter("run_s")
        context = self._user_context(task)
        batch = self._batch = BatchRun(self._start, self._inputs, self._session.host, context)
        self._session.on_call = batch.save_each
        stopwatch = Stopwatch()
        try:
            with process_variables.applied(self._variables):
                ended = await batch.run(task)
        finally:
            ran_s = stopwatch.stop(_computed_s(batch.threads))
            await self._session.settle()
        return replace(ended, ran_s=ran_s, phases=self._laps.so_far())

    async def _output(self) -> bytes:
        self._laps.enter("bundle_s")
        task = await self._loader.load(self._spec)
        self._laps.enter("input_s")
        try:
            value = await self._value(task)
        finally:
            await self._session.settle()
            with use_io_context(self._io):
                await self._report.finish()
        self._laps.enter("output_s")
        interface = task.interface
        encoded = await off_loop(interface.encode_output, value, is_slow=interface.output_moves_data)
        limit = self._spec.task.max_inline_io_bytes
        if len(encoded) > limit:
            raise errors.InlineIOMaxBytesBreached(too_large(task.name, "outputs", len(encoded), limit))
        return encoded

    async def _value(self, task: Task[..., Any]) -> Any:
        interface = task.interface
        values = await off_loop(interface.decode_inputs, self._inputs, is_slow=interface.inputs_move_data)
        args, kwargs = interface.arguments(values)
        self._laps.enter("run_s")
        limit_s, too_late = time_limit(self._spec, self._session.now())
        context = self._user_context(task)
        stopwatch = Stopwatch() if self._spec.items else None
        try:
            with process_variables.applied(self._variables):
                async with asyncio.timeout(limit_s) as bound:
                    if task.is_async:
                        work = guarded(task.func, args, kwargs)
                        return await over(context.run(asyncio.get_running_loop().create_task, work))
                    thread: TaskThread[Any] = TaskThread(
                        lambda: context.run(task.func, *args, **kwargs), name=task.name
                    )
                    self._threads.append(thread)
                    return await thread.run()
        except TimeoutError:
            if not bound.expired():
                raise
            raise _LimitPassedError(too_late) from None
        finally:
            self._ran_s = 0.0 if stopwatch is None else stopwatch.stop(_computed_s(self._threads))

    @property
    def _variables(self) -> dict[str, str]:
        return {**self._spec.task.env_vars, **self._spec.run.env_vars, **self._start.secrets}

    def _user_context(self, task: Task[..., Any]) -> Context:
        if task.options.report:
            key = report_key(self._spec.run.run_id, self._spec.action_id, self._start.attempt)
            self._report = Report(task.name, f"{self._start.blob_prefix}{key}")
        context = copy_context()
        if not task.env.pickle:
            context.run(pickle_refused_by.set, task.env.name)
        context.run(current.set, self._context())
        context.run(set_io_context, self._io)
        return context

    def _context(self) -> TaskContext:
        spec = self._spec
        action = ActionID(spec.action_id, spec.run.run_id)
        return TaskContext(
            action=action,
            task_action=action,
            attempt=self._start.attempt,
            custom_context=dict(spec.run.custom_context),
            run_start_time=datetime.fromtimestamp(spec.run.created_at, UTC),
            raw_data_path=self._start.raw_data_prefix,
            mode=self._start.mode,
            version=spec.run.bundle,
            disable_run_cache=spec.run.cache_mode == "off",
            group_data=GroupData(spec.group) if spec.group else None,
            engine=self._session,
            report=self._report,
            data={},
            blob_prefix=self._start.blob_prefix,
        )


class _LimitPassedError(Exception):
    """This attempt ran too long; not to be taken for a child's timeout, which is a failure like others."""

    def __init__(self, error: errors.TaskTimeoutError) -> None:
        super().__init__(str(error))
        self.error = error


def _computed_s(threads: list[TaskThread[Any]]) -> float | None:
    return sum(thread.cpu_s for thread in threads) if threads else None


def time_limit(spec: ActionSpec, now: float) -> tuple[float | None, errors.TaskTimeoutError]:
    """Return how long an attempt that begins now may run, and the error of one that runs longer."""
    bounds, name = spec.task.bounds, spec.task.name
    limit_s = bounds.max_runtime_s
    if bounds.deadline_s is not None:
        left_s = spec.queued_at + bounds.deadline_s - now
        if limit_s is None or left_s < limit_s:
            text = f"{name} was not done {bounds.deadline_s:g} s after it was queued"
            return left_s, errors.DeadlineExceededError(text)
    return limit_s, errors.MaxRuntimeExceededError(f"{name} ran longer than max_runtime of {limit_s or 0:g} s")
