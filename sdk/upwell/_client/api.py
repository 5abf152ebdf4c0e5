"""Starting runs: `run`, `with_runcontext`; deploying what they need: `deploy`."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from upwell import errors
from upwell._author.context import ctx
from upwell._author.environment import TaskEnvironment
from upwell._author.image import Image, to_image
from upwell._author.logs import Level, LogFormat, configure_logging
from upwell._author.options import warn_ignored
from upwell._author.syncify import Bound
from upwell._author.task import Task
from upwell._client.again import rerun
from upwell._client.backend import Backend, open_backend
from upwell._client.code import code_here, code_to_go_on_with
from upwell._client.config import current_config, parse_mode
from upwell._client.deploy import deploy_environments, pool_parameters, pool_sizes
from upwell._client.deployed_tasks import publish_tasks
from upwell._client.deployment import Deployment
from upwell._client.documents import shown_status
from upwell._client.options import CopyStyle, RunOptions, check_other_options
from upwell._client.pools import pools_of, with_dependencies
from upwell._client.run_handle import Run, finished, handle
from upwell._client.run_list import is_alive
from upwell._client.submit import (
    NewBounds,
    check_run_id,
    encode_root_inputs,
    new_run,
    new_run_id,
    next_generation,
)
from upwell._client.uploads import published
from upwell._core.keys import DEFAULT_POOL
from upwell._core.model import RunRecord
from upwell._exec.payloads import unpack

log = logging.getLogger("upwell.client")

__all__ = ["ImageBuild", "build", "build_images", "deploy", "run", "with_runcontext"]


class Runner:
    """Starts runs with options; made by `with_runcontext`."""

    def __init__(self, options: RunOptions) -> None:
        self._options = options
        self.run = Bound(self._run)
        self.rerun = Bound(self._rerun)

    async def _run(self, task: Task[..., Any], /, *args: Any, **kwargs: Any) -> Run:
        """Start a run of a task. See `run`."""
        if not isinstance(task, Task):
            raise errors.UsageError(
                f"run() takes a task, not {type(task).__name__} {getattr(task, '__name__', task)!r}; "
                "decorate the function with @env.task"
            )
        _refuse_in_executor(task)
        inputs = task.interface.bind(args, kwargs)
        task.interface.check_inputs(inputs)
        options, config = self._options, current_config()
        async with open_backend(options.mode or config.mode, config) as backend:
            if backend.mode != "local":
                inputs = await published(inputs)
            encoded = encode_root_inputs(task, inputs)
            earlier = await _earlier(backend, options, task, encoded)
            if earlier is not None:
                state = shown_status(earlier, await is_alive(earlier, backend))
                is_to_go_on = state not in ("succeeded", "running")
                what = "it goes on, without what has succeeded" if is_to_go_on else "it is not started again"
                log.warning("run %r is there, %s: %s; another name starts anew", options.name, state, what)
                if not is_to_go_on:
                    return handle(backend, earlier, task)
            if backend.mode != "local":
                await backend.prepare(pools_of(task))
            here = await code_here(backend, task, copy_style=options.copy_style, root_dir=options.root_dir)
            now = time.time()
            if earlier is not None:
                new_code = await code_to_go_on_with(backend, earlier, task, here, wanted=options.new_code)
                bounds = NewBounds(max_actions=options.max_actions, max_depth=options.max_depth)
                record = next_generation(earlier, now, new_code=new_code, bounds=bounds)
            else:
                run_id = check_run_id(options.name) if options.name else new_run_id(now)
                record = await new_run(
                    backend.blobs,
                    task,
                    encoded,
                    options,
                    run_id=run_id,
                    bundle=here.bundle,
                    now=now,
                    code=here.code,
                    pools=pool_sizes(task),
                )
            ended = await backend.start(record, timeout_s=options.timeout_s)
            return finished(backend, ended, task)

    async def _rerun(self, run_name: str, /, *, recover: bool = False, **inputs: Any) -> Run:
        """Run an earlier run's task again. See `rerun`; of the options, those of the new run's code count."""
        options = self._options
        return await rerun.aio(
            run_name,
            recover=recover,
            new_code=options.new_code,
            name=options.name,
            root_dir=options.root_dir,
            mode=options.mode,
            **inputs,
        )


def _refuse_in_executor(task: Task[..., Any]) -> None:
    """Refuse to start a run from a task that runs in the cloud, whose role may not; a laptop may.

    Raises:
        UnsupportedError: this is such a task.
    """
    if ctx().is_in_cluster():
        raise errors.UnsupportedError(
            f"run({task.name}) is called inside a task on {ctx().mode}, where executors may not start runs; "
            f"call the task itself, `await {task.func.__name__}(...)`, which makes it a child of this one"
        )


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
    new_code: bool = False,
    timeout: float | timedelta | None = None,
    strict: bool | None = None,
    max_actions: int | None = None,
    max_depth: int | None = None,
    log_level: Level | None = None,
    user_log_level: Level | None = None,
    log_format: LogFormat | None = None,
    **others: Any,
) -> Runner:
    """Return a runner whose `run(...)` uses these options; see `RunOptions`.

    Options of other platforms (`project`, `domain`, `version`, ...) are accepted and have no meaning here;
    those that would have one (`notifications`, `raw_data_path`, ...) are warned of.

    Raises:
        TypeError: there is no such option.

    Example:
        `upwell.with_runcontext(mode="local", name="nightly").run(main, n=3)`
    """
    check_other_options(others)
    configure_logging(log_level=log_level, user_log_level=user_log_level, log_format=log_format)
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
        new_code=new_code,
        timeout=timeout,
        strict=current_config().strict if strict is None else strict,
        max_actions=max_actions,
        max_depth=max_depth,
    )
    return Runner(options)


async def _deploy(*environments: TaskEnvironment, dry_run: bool = False, **ignored: Any) -> list[Deployment]:
    """Create or update the pools of environments and of those they depend on; return one `Deployment` for each.

    Their tasks are kept with their code, so that the console and the Run API can start runs of them. Nothing
    happens on the local backend. With `dry_run`, what the environments ask for is checked in any case, and
    nothing is created.

    Raises:
        NotDeployedError: the stage has no platform.
        UnsupportedError: an environment asks for what AWS cannot give.
    """
    config = current_config()
    wanted = with_dependencies(environments)
    for environment in wanted:
        if dry_run or config.mode != "local":
            pool_parameters(environment)
        triggers = [trigger for task in environment.tasks.values() for trigger in task.triggers]
        warn_ignored(f"deploy of {environment.name!r}", {"triggers": triggers or None})
    if dry_run or config.mode == "local":
        return [Deployment.of(environment, ()) for environment in environments]
    changed = await deploy_environments(wanted, config) if config.mode == "aws" else []
    async with open_backend(config.mode, config) as backend:
        await backend.prepare({e.pool: e for e in wanted if e.pool != DEFAULT_POOL})
        await publish_tasks(backend, wanted)
    return [Deployment.of(environment, changed) for environment in environments]


deploy = Bound(_deploy)
"""Create or update pools: `deploy(*environments)`; see `_deploy`."""


@dataclass(frozen=True, slots=True)
class ImageBuild:
    """What `build` returns.

    Attributes:
        uri: Name of the image, made of its content.
        remote_run: Run that built it: always None, wheels are resolved where the program is.
    """

    uri: str
    remote_run: None = None


async def _build(image: Image, *, dry_run: bool = False, force: bool = False, wait: bool = True) -> ImageBuild:
    """Check that executors can have an image; its packages are resolved when an environment is deployed.

    Raises:
        UnsupportedError: it has a step that needs a container image of one's own.
    """
    image.check_supported()
    return ImageBuild(image.uri)


async def _build_images(*environments: TaskEnvironment, **ignored: Any) -> list[ImageBuild]:
    return [await _build(to_image(environment.image)) for environment in with_dependencies(environments)]


build = Bound(_build)
"""Check one image: `build(image) -> ImageBuild`; see `_build`."""

build_images = Bound(_build_images)
"""Check the images of environments and of those they depend on."""
