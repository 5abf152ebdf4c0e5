"""Runs the function of a task: inputs in, outcome out."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import copy_context
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from upwell import errors
from upwell._author.context import ActionID, GroupData, TaskContext, current
from upwell._author.task import Task
from upwell._core.keys import data_prefix
from upwell._core.limits import RECORD_INLINE_BYTES
from upwell._core.model import ActionRecord, ActionSpec, Outcome, Payload, Status
from upwell._exec.driver import Driver
from upwell._exec.failure import describe
from upwell._exec.kernel import Kernel
from upwell._exec.payloads import pack, too_large
from upwell._exec.threads import in_thread
from upwell._exec.variables import process_variables
from upwell._types.io_context import IoContext, set_io_context


async def invoke(kernel: Kernel, record: ActionRecord, driver: Driver) -> Outcome:
    """Run one attempt and return how it ended.

    Whatever the task's function raises becomes an outcome. The cancellation of the attempt itself, by an abort
    or by an executor that drains, passes through.

    Raises:
        Exception: the engine's own work failed; the task is not to blame and must be tried again.
    """
    try:
        outcome = Outcome(status=Status.SUCCEEDED, output=await _output(kernel, record, driver))
    except asyncio.CancelledError as e:
        if _is_ours():
            raise
        outcome = Outcome(status=Status.FAILED, error=describe(e, kernel.ports.executor.id))
    except (KeyboardInterrupt, errors.UnavailableError):
        raise
    except BaseException as e:
        outcome = Outcome(status=Status.FAILED, error=describe(e, kernel.ports.executor.id))
    if driver.trouble is not None:
        raise driver.trouble
    return outcome


async def _output(kernel: Kernel, record: ActionRecord, driver: Driver) -> Payload:
    task = await kernel.loader.load(record.spec)
    data = await driver.load(record.spec.inputs)
    await driver.guard(driver.prepare())
    try:
        value = await _run(kernel, record, driver, task, data)
    finally:
        await driver.settle()
    encoded = task.interface.encode_output(value)
    limit = record.spec.task.max_inline_io_bytes
    if len(encoded) > limit:
        raise errors.InlineIOMaxBytesBreached(too_large(task.name, "outputs", len(encoded), limit))
    return await driver.guard(
        pack(
            kernel.ports.blobs,
            record.spec.run.run_id,
            encoded,
            inline_bytes=RECORD_INLINE_BYTES,
            cached=record.spec.task.cache_key is not None,
        )
    )


def _is_ours() -> bool:
    """Whether the attempt was cancelled, rather than something in it by its own code."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _run(kernel: Kernel, record: ActionRecord, driver: Driver, task: Task[..., Any], data: bytes) -> Any:
    kwargs = task.interface.decode_inputs(data)
    variables = {**record.spec.task.env_vars, **record.spec.run.env_vars}
    limit_s, too_late = _limit(record.spec, driver.now())
    context = copy_context()
    context.run(current.set, _context(kernel, record, driver))
    context.run(set_io_context, _io_context(kernel, record))
    try:
        with process_variables.applied(variables):
            async with asyncio.timeout(limit_s) as bound:
                if task.is_async:
                    call = context.run(asyncio.get_running_loop().create_task, _guard(task.func(**kwargs)))
                    return await _wait(call)
                return await in_thread(lambda: context.run(task.func, **kwargs), name=task.name)
    except TimeoutError:
        if not bound.expired():
            raise
        raise too_late from None


def _limit(spec: ActionSpec, now: float) -> tuple[float | None, errors.TaskTimeoutError]:
    """Return how long an attempt that begins now may run, and the error of one that runs longer."""
    bounds, name = spec.task.bounds, spec.task.name
    limit_s = bounds.max_runtime_s
    if bounds.deadline_s is not None:
        left_s = spec.queued_at + bounds.deadline_s - now
        if limit_s is None or left_s < limit_s:
            text = f"{name} was not done {bounds.deadline_s:g} s after it was queued"
            return left_s, errors.DeadlineExceededError(text)
    return limit_s, errors.MaxRuntimeExceededError(f"{name} ran longer than max_runtime of {limit_s or 0:g} s")


async def _guard(call: Coroutine[Any, Any, Any]) -> Any:
    """Keep `sys.exit` in a task from ending the event loop that runs the others."""
    try:
        return await call
    except SystemExit as e:
        error = errors.RuntimeUserError("SystemExit", f"the task called sys.exit({e.code!r})")
        raise error.with_traceback(e.__traceback__) from None


async def _wait(call: asyncio.Task[Any]) -> Any:
    """Await a task of our own making; cancelling us cancels it, and waits until it is over."""
    try:
        return await call
    except asyncio.CancelledError:
        if not call.done():
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        raise


def _io_context(kernel: Kernel, record: ActionRecord) -> IoContext:
    spec = record.spec
    return IoContext(
        raw_data_prefix=kernel.ports.blobs.uri(data_prefix(spec.run.run_id)),
        scratch_dir=Path(f"{kernel.scratch}/{spec.run.run_id}/{spec.action_id}-{record.attempt}"),
        transfers=kernel.transfers,
    )


def _context(kernel: Kernel, record: ActionRecord, driver: Driver) -> TaskContext:
    spec = record.spec
    action = ActionID(spec.action_id, spec.run.run_id)
    return TaskContext(
        action=action,
        task_action=action,
        attempt=record.attempt,
        custom_context=dict(spec.run.custom_context),
        run_start_time=datetime.fromtimestamp(spec.run.created_at, UTC),
        raw_data_path=kernel.ports.blobs.uri(data_prefix(spec.run.run_id)),
        mode=kernel.mode,
        version=spec.run.bundle,
        disable_run_cache=spec.run.cache_mode == "off",
        group_data=GroupData(spec.group) if spec.group else None,
        engine=driver,
    )
