"""Starting runs: `run`, `with_runcontext`, `recover`."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from upwell import errors
from upwell._author.environment import TaskEnvironment
from upwell._author.task import Task
from upwell._client.backend import Backend, open_backend
from upwell._client.bundle import all_files, loaded_modules, make_bundle, upload_bundle
from upwell._client.config import current_config, init, init_from_config, parse_mode
from upwell._client.deploy import deploy_environments, pool_parameters
from upwell._client.options import CopyStyle, RunOptions
from upwell._client.pools import pools_of, root_dir_of, with_dependencies
from upwell._client.run_handle import Run
from upwell._client.submit import check_run_id, encode_root_inputs, new_run, new_run_id, next_generation
from upwell._client.syncify import Bound
from upwell._client.uploads import published
from upwell._core.model import RunRecord, Status
from upwell._exec.failure import revive
from upwell._exec.payloads import unpack

__all__ = ["deploy", "init", "init_from_config", "recover", "run", "with_runcontext"]


class Runner:
    """Starts runs with options; made by `with_runcontext`."""

    def __init__(self, options: RunOptions) -> None:
        self._options = options
        self.run = Bound(self._run)

    async def _run(self, task: Task[..., Any], /, *args: Any, **kwargs: Any) -> Run:
        """Start a run of a task. See `run`."""
        if not isinstance(task, Task):
            raise errors.UsageError(
                f"run() takes a task, not {type(task).__name__} {getattr(task, '__name__', task)!r}; "
                "decorate the function with @env.task"
            )
        inputs = task.interface.bind(args, kwargs)
        encoded = encode_root_inputs(task, inputs)
        options, config = self._options, current_config()
        async with open_backend(options.mode or config.mode, config) as backend:
            if backend.mode != "local":
                encoded = encode_root_inputs(task, await published(inputs))
            earlier = await _earlier(backend, options, task, encoded)
            if earlier is not None and earlier.status is Status.SUCCEEDED:
                return _handle(backend, earlier, task)
            if earlier is not None and await backend.is_alive(earlier):
                return _handle(backend, earlier, task)
            if backend.mode != "local":
                await backend.prepare(pools_of(task))
            bundle = await _bundle(backend, task, options)
            now = time.time()
            if earlier is not None:
                record = next_generation(earlier, now, bundle=bundle)
            else:
                run_id = check_run_id(options.name) if options.name else new_run_id(now)
                record = await new_run(
                    backend.blobs, task, encoded, options, run_id=run_id, bundle=bundle, now=now
                )
            ended = await backend.start(record, timeout_s=options.timeout_s)
            return _finished(backend, ended, task)


async def _earlier(
    backend: Backend, options: RunOptions, task: Task[..., Any], encoded: bytes
) -> RunRecord | None:
    """Return the run that this one goes on with: one of the same name, for the same task and inputs."""
    if options.name is None:
        return None
    earlier = await backend.store.get_run(options.name)
    if earlier is None:
        return None
    if earlier.task != task.name or await unpack(backend.blobs, earlier.root.inputs) != encoded:
        raise errors.RunStateError(
            f"run {options.name!r} exists, of {earlier.task} with other inputs; choose another name"
        )
    return earlier


async def _bundle(backend: Backend, task: Task[..., Any], options: RunOptions) -> str | None:
    if backend.mode == "local" or options.copy_style == "none":
        return None
    root = root_dir_of(task, options.root_dir)
    files = all_files(root) if options.copy_style == "all" else loaded_modules(root)
    bundle = make_bundle(root, files)
    await upload_bundle(backend.blobs, bundle)
    return bundle.digest


def _handle(backend: Backend, record: RunRecord, task: Task[..., Any] | None) -> Run:
    return Run(record, backend.mode, backend.describe(record), task)


def _finished(backend: Backend, record: RunRecord, task: Task[..., Any] | None) -> Run:
    """Return a handle; a local run that failed raises here, as a call of the task would."""
    handle = _handle(backend, record, task)
    if backend.mode == "local" and record.outcome is not None and record.outcome.error is not None:
        error = revive(record.outcome.error)
        error.add_note(f"run {handle.name} {handle.phase}; `upwell recover {handle.name}` goes on from here")
        raise error
    return handle


async def _run(task: Task[..., Any], /, *args: Any, **kwargs: Any) -> Run:
    return await with_runcontext()._run(task, *args, **kwargs)


run = Bound(_run)
"""Start a run of a task: `run(task, *inputs, **inputs) -> Run`; `await run.aio(...)` in async code.

Locally it returns when the run has ended and raises what the task raised; on `sandbox` and `aws` it returns a
handle at once.

Raises:
    TypeError, ValueError: the inputs don't fit the task's signature.
    UsageError: there is nothing to run it on; the message says what to do.
"""


def with_runcontext(
    mode: str | None = None,
    *,
    name: str | None = None,
    custom_context: dict[str, str] | None = None,
    env_vars: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
    overwrite_cache: bool = False,
    disable_run_cache: bool = False,
    copy_style: CopyStyle = "loaded_modules",
    root_dir: str | Path | None = None,
    timeout: float | timedelta | None = None,
    strict: bool | None = None,
    max_actions: int | None = None,
    max_depth: int | None = None,
    **ignored: Any,
) -> Runner:
    """Return a runner whose `run(...)` uses these options; see `RunOptions`.

    Options of other platforms (`project`, `domain`, `version`, ...) are accepted and have no meaning here.

    Example:
        `upwell.with_runcontext(mode="local", name="nightly").run(main, n=3)`
    """
    options = RunOptions(
        mode=None if mode is None else parse_mode(mode),
        name=name,
        custom_context=custom_context or {},
        env_vars=env_vars or {},
        labels=labels or {},
        overwrite_cache=overwrite_cache,
        disable_run_cache=disable_run_cache,
        copy_style=copy_style,
        root_dir=None if root_dir is None else Path(root_dir).absolute(),
        timeout=timeout,
        strict=current_config().strict if strict is None else strict,
        max_actions=max_actions,
        max_depth=max_depth,
    )
    return Runner(options)


async def _recover(name: str, *, mode: str | None = None) -> Run:
    """Go on with a run that failed, was aborted or lost its process: what succeeded is not done again.

    Raises:
        RunNotFoundError: there is no such run.
        RunStateError: it has succeeded, or is under way.
    """
    config = current_config()
    async with open_backend(parse_mode(mode) if mode else config.mode, config) as backend:
        record = await backend.store.get_run(name)
        if record is None:
            raise errors.RunNotFoundError(f"there is no run {name!r}; `upwell get runs` lists them")
        if record.status is Status.SUCCEEDED:
            raise errors.RunStateError(f"run {name!r} has succeeded; there is nothing to recover")
        if await backend.is_alive(record):
            raise errors.RunStateError(
                f"run {name!r} is under way; wait for it, or `upwell abort {name}` first"
            )
        again = next_generation(record, time.time())
        return _finished(backend, await backend.start(again, timeout_s=None), None)


async def _deploy(*environments: TaskEnvironment, dry_run: bool = False, **ignored: Any) -> list[str]:
    """Create or update the pools of environments and of those they depend on; return what changed.

    The local backend needs no pools, and the sandbox creates them by itself: nothing happens there.

    Raises:
        NotDeployedError: the stage has no platform.
        UnsupportedError: an environment asks for what AWS cannot give.
    """
    config = current_config()
    wanted = with_dependencies(environments)
    for environment in wanted:
        pool_parameters(environment)
    if dry_run or config.mode != "aws":
        return []
    return await deploy_environments(wanted, config)


deploy = Bound(_deploy)
"""Create or update pools: `deploy(*environments)`; see `_deploy`."""

recover = Bound(_recover)
"""Go on with a run: `recover(name) -> Run`; see `_recover`."""
