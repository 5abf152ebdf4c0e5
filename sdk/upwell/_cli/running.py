"""Starts runs, shows how they go, and prints how they ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from upwell._author.task import Task
from upwell._cli.failures import InterruptedRunError, RunFailedError
from upwell._cli.outcome import finish
from upwell._cli.program import Program
from upwell._cli.progress import Display, following, make_display
from upwell._cli.run_options import RunFlags, key_values
from upwell._cli.session import hint
from upwell._cli.terminal import note, print_json
from upwell._client import documents
from upwell._client.again import recover as recover_run
from upwell._client.again import rerun_with
from upwell._client.api import with_runcontext
from upwell._client.backend import open_backend
from upwell._client.config import be_quiet, current_config
from upwell._client.run_handle import Run
from upwell._client.submit import check_run_id, encode_root_inputs, new_run_id
from upwell._client.watch import watch_run
from upwell._core.model import RunRecord
from upwell.errors import BaseRuntimeError, UsageError

FILE_LABEL, ROOT_LABEL = f"{documents.HIDDEN_LABELS}file", f"{documents.HIDDEN_LABELS}root"
"""Where a run's code was, for a recovery with new code, and for any of a local run."""
SAME_CODE = "with the code that the run was submitted with; --new-code takes what is here"


def run_task(program: Program, task: Task[..., Any], inputs: Mapping[str, Any], flags: RunFlags) -> None:
    """Run a task as the command line asks for, and print the result.

    Raises:
        UsageError: the inputs or options cannot be used.
        RunFailedError: the run failed.
    """
    runner_options = _runner_options(program, flags)
    if flags.quiet:
        be_quiet()
    config = current_config()
    args, kwargs = _arguments(task, inputs)
    if config.mode != "local":
        handle = asyncio.run(with_runcontext(**runner_options).run.aio(task, *args, **kwargs))
        submitted(handle, flags, task.interface.output_names)
        return
    name = check_run_id(flags.name) if flags.name else new_run_id(time.time())
    runner = with_runcontext(**{**runner_options, "name": name})
    _run_here(name, lambda: runner.run.aio(task, *args, **kwargs), flags, task.interface.output_names)


def recover(name: str, record: RunRecord, flags: RunFlags, **options: Any) -> None:
    """Go on with a run, with options of `upwell.recover`, and print the result.

    Raises:
        RunStateError: it has succeeded, or is under way.
        RunFailedError: it failed again.
    """
    options["timeout"] = flags.timeout_s()
    if current_config().mode == "local":
        _run_here(name, lambda: recover_run.aio(name, **options), flags, record.outputs)
    else:
        run = asyncio.run(recover_run.aio(name, **options))
        if not options.get("new_code"):
            note(SAME_CODE)
        submitted(run, flags, record.outputs)


def rerun(
    record: RunRecord,
    inputs: Mapping[str, Any],
    flags: RunFlags,
    *,
    new_code: bool,
    root_dir: Path | None,
) -> None:
    """Run a run's task again, as a new run, and print the result.

    Raises:
        RunFailedError: it failed.
    """
    earlier = record.spec.run_id
    name = check_run_id(flags.name) if flags.name else new_run_id(time.time())
    labels = key_values(flags.label, option="--label")
    env_vars = key_values(flags.env, option="--env")

    def work() -> Coroutine[Any, Any, Run]:
        return rerun_with(
            earlier,
            inputs,
            new_code=new_code,
            root_dir=root_dir,
            name=name,
            timeout_s=flags.timeout_s(),
            labels=labels,
            env_vars=env_vars,
        )

    if current_config().mode == "local":
        _run_here(name, work, flags, record.outputs)
    else:
        run = asyncio.run(work())
        if not new_code:
            note(SAME_CODE)
        submitted(run, flags, record.outputs)


def _runner_options(program: Program, flags: RunFlags) -> dict[str, Any]:
    if flags.overwrite_cache and flags.no_cache:
        raise UsageError("--overwrite-cache and --no-cache exclude each other; give one")
    labels = key_values(flags.label, option="--label")
    if program.path.is_file():
        labels |= {FILE_LABEL: str(program.path), ROOT_LABEL: str(program.root)}
    return {
        "name": None if flags.name is None else check_run_id(flags.name),
        "labels": labels,
        "env_vars": key_values(flags.env, option="--env"),
        "timeout": flags.timeout_s(),
        "copy_style": flags.style(),
        "root_dir": program.root,
        "new_code": bool(flags.new_code),
        "overwrite_cache": bool(flags.overwrite_cache),
        "disable_run_cache": bool(flags.no_cache),
        "strict": flags.strict,
        "max_actions": flags.max_actions,
        "max_depth": flags.max_depth,
    }


def _arguments(task: Task[..., Any], inputs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of the call, if the task takes them, before anything is started."""
    try:
        args, kwargs = task.interface.arguments(inputs)
        encode_root_inputs(task, task.interface.bind(args, kwargs))
        return args, kwargs
    except (TypeError, ValueError, BaseRuntimeError) as e:
        raise UsageError(str(e)) from e


def _run_here(
    name: str, work: Callable[[], Coroutine[Any, Any, Run]], flags: RunFlags, names: tuple[str, ...] | None
) -> None:
    """Run in this process, with the progress shown."""
    handle: Run | None = None
    try:
        handle = asyncio.run(_shown(name, work, make_display(name, flags.shown)))
    except KeyboardInterrupt:
        raise InterruptedRunError(f"interrupted; {hint(f'recover {name}')} goes on from here") from None
    except BaseRuntimeError as e:
        finish(name, shown=flags.shown, names=names)  # the record tells it better
        raise RunFailedError(str(e)) from e
    if not handle.done():
        submitted(handle, flags, names)  # it is under way in another process
    else:
        finish(name, shown=flags.shown, names=names)


async def _shown(name: str, work: Callable[[], Coroutine[Any, Any, Run]], display: Display) -> Run:
    """Start or go on with a run of this name, and show its progress until it has ended."""
    config = current_config()
    async with open_backend(config.mode, config) as backend:
        earlier = await backend.store.get_run(name)
    generation = 1 if earlier is None else earlier.spec.generation + 1
    with following(name, generation, display):
        return await work()


def submitted(handle: Run, flags: RunFlags, names: tuple[str, ...] | None) -> None:
    """Print what was started; with --follow, stay with it to its end.

    Args:
        handle: The run.
        flags: Whether to follow it, and what is printed.
        names: Names of its outputs, where they are known here.

    Raises:
        RunFailedError: it failed.
    """
    if not flags.follow and not handle.done():
        if flags.json:
            print_json({"run": handle.name, "backend": handle.mode, "status": handle.phase, "url": handle.url})
        else:
            print(f"run {handle.name}\nurl {handle.url}")
        return
    note(f"run {handle.name}: {handle.url}")
    try:
        asyncio.run(_follow(handle, make_display(handle.name, flags.shown)))
    except KeyboardInterrupt:
        raise InterruptedRunError(
            f"no longer following run {handle.name}, which goes on; {hint(f'abort {handle.name}')} ends it"
        ) from None
    finish(handle.name, shown=flags.shown, names=names)


async def _follow(handle: Run, display: Display) -> None:
    with display:
        async for snapshot in watch_run(handle):
            display.update(snapshot)
