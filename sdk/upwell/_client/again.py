"""Going on with a run, and running it again: `recover`, `rerun`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from upwell import errors
from upwell._author.durations import Duration, to_seconds
from upwell._author.registry import resolve
from upwell._author.syncify import Bound
from upwell._author.task import Task
from upwell._client.backend import Backend, open_backend
from upwell._client.code import code_here, code_to_go_on_with
from upwell._client.config import current_config, parse_mode
from upwell._client.pools import pools_of
from upwell._client.run_handle import Run, existing_run, finished
from upwell._client.submit import (
    NewBounds,
    check_root_size,
    check_run_id,
    new_run_id,
    next_generation,
    run_again,
    with_more,
)
from upwell._client.uploads import published
from upwell._core.limits import RECORD_INLINE_BYTES
from upwell._core.model import ROOT_ID, RunRecord, Status
from upwell._exec.payloads import pack, unpack

__all__ = ["recover", "rerun"]


async def _recover(
    name: str,
    *,
    new_code: bool = False,
    max_actions: int | None = None,
    max_depth: int | None = None,
    timeout: Duration | None = None,
    root_dir: str | Path | None = None,
    mode: str | None = None,
) -> Run:
    """Go on with a run that failed, was aborted or lost its process: what succeeded is not done again.

    Args:
        name: The run.
        new_code: Whether it goes on with the code as it is now; else it stays on its own. What succeeded is
            reused either way.
        max_actions: Actions that the run may have from now on; None leaves it as it is.
        max_depth: Levels of parents that an action may have above it from now on; None leaves it as it is.
        timeout: Longest time that it may take from now on, in seconds; None is unbounded.
        root_dir: Where the code starts; as for `with_runcontext`.
        mode: Its backend; None takes the configured one.

    Raises:
        RunNotFoundError: there is no such run.
        RunStateError: it has succeeded, or is under way, or is a local run whose code has changed.
    """
    config = current_config()
    async with open_backend(parse_mode(mode) if mode else config.mode, config) as backend:
        bounds = NewBounds(max_actions=max_actions, max_depth=max_depth)
        timeout_s = None if timeout is None else to_seconds(timeout, "timeout")
        return await recover_on(
            backend, name, bounds, new_code=new_code, root_dir=root_dir, timeout_s=timeout_s
        )


async def recover_on(
    backend: Backend,
    name: str,
    bounds: NewBounds,
    *,
    new_code: bool = False,
    root_dir: str | Path | None = None,
    timeout_s: float | None = None,
) -> Run:
    """Do what `recover` does, on a backend that is open."""
    record = await existing_run(backend, name)
    if record.status is Status.SUCCEEDED:
        raise errors.RunStateError(
            f"run {name!r} has succeeded; there is nothing to recover; `upwell rerun {name}` runs it again"
        )
    if await backend.is_alive(record):
        raise errors.RunStateError(f"run {name!r} is under way; wait for it, or `upwell abort {name}` first")
    task, code = None, None
    if new_code or backend.mode == "local":
        task = _task_of(record)
        here = await code_here(backend, task, root_dir=_path(root_dir))
        code = await code_to_go_on_with(backend, record, task, here, wanted=new_code)
    if code is not None:
        await _prepare(backend, task)
    again = next_generation(record, time.time(), new_code=code, bounds=bounds)
    return finished(backend, await backend.start(again, timeout_s=timeout_s), task)


async def _rerun(
    run_name: str,
    /,
    *,
    action_name: str = ROOT_ID,
    recover: bool = False,
    force_rerun_actions: Sequence[str] | None = None,
    allow_missing_source_outputs: bool = False,
    new_code: bool = False,
    name: str | None = None,
    root_dir: str | Path | None = None,
    mode: str | None = None,
    **inputs: Any,
) -> Run:
    """Run a run's task again, with the same inputs and options, as a new run.

    Args:
        run_name: The earlier run.
        action_name: The root's; single actions are not run again.
        recover: Go on with that run instead, and reuse what succeeded in it; see `recover`.
        force_rerun_actions: Not possible: what is done again follows from what failed.
        allow_missing_source_outputs: Accepted; nothing depends on the outputs of the earlier run.
        new_code: Whether to take the code as it is now; else the earlier run's. A local run always runs the
            code that is here.
        name: Id of the new run; None makes one.
        root_dir: Where the code starts; as for `with_runcontext`.
        mode: Backend of both; None takes the configured one.
        **inputs: Inputs that replace those of the earlier run.

    Raises:
        RunNotFoundError: there is no such run.
        TypeError, ValueError: the inputs don't fit the task's signature.
        UsageError: inputs are given for a run that is recovered.
        UnsupportedError: it is to begin at another action than the root, or to repeat some that succeeded.
    """
    if action_name != ROOT_ID:
        raise errors.UnsupportedError(
            f"rerun({run_name!r}, action_name={action_name!r}): runs are run again from their root, "
            f"{ROOT_ID!r}; run that action's task by itself"
        )
    if force_rerun_actions:
        raise errors.UnsupportedError(
            f"rerun({run_name!r}, force_rerun_actions=...): what is done again follows from what failed; "
            "leave out recover=True to do everything again"
        )
    if recover:
        if inputs or name is not None:
            given = ", ".join(inputs) or "name"
            raise errors.UsageError(
                f"a run is recovered under its name and with its inputs; leave out {given}, or recover=True"
            )
        return await _recover(run_name, new_code=new_code, root_dir=root_dir, mode=mode)
    return await rerun_with(run_name, inputs, new_code=new_code, name=name, root_dir=root_dir, mode=mode)


async def rerun_with(
    run_name: str,
    inputs: Mapping[str, Any],
    *,
    new_code: bool = False,
    name: str | None = None,
    root_dir: str | Path | None = None,
    timeout_s: float | None = None,
    mode: str | None = None,
    labels: Mapping[str, str] | None = None,
    env_vars: Mapping[str, str] | None = None,
) -> Run:
    """Do what `rerun` does, with new inputs of whatever names."""
    config = current_config()
    async with open_backend(parse_mode(mode) if mode else config.mode, config) as backend:
        return await rerun_on(
            backend,
            run_name,
            inputs,
            new_code=new_code,
            name=name,
            root_dir=root_dir,
            timeout_s=timeout_s,
            labels=labels,
            env_vars=env_vars,
        )


async def rerun_on(
    backend: Backend,
    run_name: str,
    inputs: Mapping[str, Any],
    *,
    new_code: bool = False,
    name: str | None = None,
    root_dir: str | Path | None = None,
    timeout_s: float | None = None,
    labels: Mapping[str, str] | None = None,
    env_vars: Mapping[str, str] | None = None,
) -> Run:
    """Do what `rerun` does, on a backend that is open; labels and variables are added to the earlier run's."""
    earlier = with_more(await existing_run(backend, run_name), labels or {}, env_vars or {})
    now = time.time()
    run_id = check_run_id(name) if name else new_run_id(now)
    encoded = await unpack(backend.blobs, earlier.root.inputs)
    task, code = None, None
    if inputs or new_code or backend.mode == "local":
        task = _task_of(earlier)
    if task is not None and inputs:
        encoded = await _with_inputs(backend, task, encoded, inputs)
    if task is not None and (new_code or backend.mode == "local"):
        here = await code_here(backend, task, root_dir=_path(root_dir))
        code = here.for_run(earlier, task, encoded)
        await _prepare(backend, task)
    if inputs:  # the key of a cached root was made of the earlier ones
        root = replace(earlier.root, task=replace(earlier.root.task, cache_key=None, cache_parts=None))
        earlier = replace(earlier, root=root)
    payload = await pack(backend.blobs, run_id, encoded, inline_bytes=RECORD_INLINE_BYTES)
    record = run_again(earlier, run_id, payload, now, new_code=code)
    return finished(backend, await backend.start(record, timeout_s=timeout_s), task)


def _task_of(record: RunRecord) -> Task[..., Any]:
    return resolve(record.root.task.module, record.root.task.name)


def _path(root_dir: str | Path | None) -> Path | None:
    return None if root_dir is None else Path(root_dir).absolute()


async def _prepare(backend: Backend, task: Task[..., Any] | None) -> None:
    if task is not None and backend.mode != "local":
        await backend.prepare(pools_of(task))


async def _with_inputs(
    backend: Backend, task: Task[..., Any], encoded: bytes, inputs: Mapping[str, Any]
) -> bytes:
    """Return encoded inputs with some of them replaced."""
    if backend.mode != "local":
        inputs = await published(inputs)
    return check_root_size(task, task.interface.replace_inputs(encoded, inputs))


recover = Bound(_recover)
"""Go on with a run: `recover(name, new_code=False) -> Run`; see `_recover`."""

rerun = Bound(_rerun)
"""Run a run again: `rerun(name, **inputs) -> Run`; see `_rerun`."""
