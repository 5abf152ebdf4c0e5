"""Deployed tasks: what it takes to start a run of one without its code, kept by `upwell deploy`."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from upwell._author.environment import TaskEnvironment
from upwell._author.task import Task
from upwell._client.backend import Backend
from upwell._client.code import code_here
from upwell._client.deploy import pool_sizes
from upwell._client.pools import root_dir_of
from upwell._client.submit import check_run_id, new_run_id, run_record
from upwell._core.ids import content_digest
from upwell._core.keys import TASKS, bundle_key, deployed_task_key, task_of_key, task_prefix
from upwell._core.model import PoolSize, RunRecord, RunSpec, TaskSpec
from upwell._core.ports import BlobNotFoundError, BlobStore, RunExistsError
from upwell._core.sizes import check_travelling, too_large
from upwell._types.given import dump_given
from upwell.errors import InlineIOMaxBytesBreached, InputsError, RemoteTaskNotFoundError, RunStateError

AT_ONCE = 16
READS = 3
"""Of a task that is deployed anew each time between the look at what there is and the reading of it."""
PROBLEMS_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedTask:
    """A task as it was deployed.

    Attributes:
        spec: What to run.
        bundle: The code.
        inputs: JSON schema of an object with its inputs.
        description: What it does, for people.
        outputs: Names of its outputs, if it has several.
        pools: What the pools that it may use are on AWS.
        deployed_at: Epoch seconds.
    """

    spec: TaskSpec
    bundle: str
    inputs: dict[str, Any]
    description: str = ""
    outputs: tuple[str, ...] | None = None
    pools: dict[str, PoolSize] = field(default_factory=dict)
    deployed_at: float = 0.0

    def dump(self) -> bytes:
        """Return it as JSON."""
        return _document().dump_json(self, exclude_defaults=True)

    @classmethod
    def load(cls, data: bytes) -> DeployedTask:
        """Read what `dump` gave.

        Raises:
            ValidationError: it is something else.
        """
        return _document().validate_json(data)


@cache
def _document() -> TypeAdapter[DeployedTask]:
    return TypeAdapter(DeployedTask)


async def publish_tasks(
    backend: Backend, environments: Iterable[TaskEnvironment], root_dir: Path | None = None
) -> list[str]:
    """Keep the tasks of environments, with their code, so that runs of them can be started without it.

    Returns:
        Names of those that are new or have changed.
    """
    changed = []
    bundles: dict[Path, str | None] = {}
    for task in (task for environment in environments for task in environment.tasks.values()):
        root = root_dir_of(task, root_dir)
        if root not in bundles:
            bundles[root] = (await code_here(backend, task, root_dir=root)).bundle
        bundle = bundles[root]
        if bundle is not None and await _publish(backend.blobs, _described(task, bundle)):
            changed.append(task.name)
    return changed


def _described(task: Task[..., Any], bundle: str) -> DeployedTask:
    names = task.interface.output_names
    return DeployedTask(
        spec=task.spec(b"{}", cache=False),
        bundle=bundle,
        inputs=task.json_schema,
        description=_description(task),
        outputs=names if len(names) > 1 else None,
        pools=pool_sizes(task),
    )


def _description(task: Task[..., Any]) -> str:
    written = getattr(task.docs, "description", task.docs)
    return str(written or inspect.getdoc(task.func) or "").strip()


async def _publish(blobs: BlobStore, task: DeployedTask) -> bool:
    digest = content_digest(task.dump())
    earlier = [blob.key async for blob in blobs.list(task_prefix(task.spec.name))]
    if earlier and digest in max(earlier):
        return False
    now = time.time()
    await blobs.put(deployed_task_key(task.spec.name, now, digest), replace(task, deployed_at=now).dump())
    await blobs.delete(earlier)
    return True


async def withdraw_task(blobs: BlobStore, name: str) -> None:
    """Delete a deployed task: no run of it is started any more. Its code stays for the runs that it has.

    Raises:
        RemoteTaskNotFoundError: no such task is deployed.
    """
    keys = [blob.key async for blob in blobs.list(task_prefix(name))]
    if not keys:
        raise RemoteTaskNotFoundError(f"no task {name!r} is deployed; `upwell get tasks` lists them")
    await blobs.delete(keys)


async def deployed_tasks(blobs: BlobStore) -> list[DeployedTask]:
    """Return all deployed tasks, by name."""
    keys: dict[str, str] = {}
    async for blob in blobs.list(TASKS):
        name = task_of_key(blob.key)
        keys[name] = max(blob.key, keys.get(name, ""))
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> DeployedTask | None:
        async with turns:
            with suppress(ValidationError):  # of a later version, in another form
                return await _read(blobs, keys[name]) or await _latest(blobs, name)
            return None

    found = await asyncio.gather(*(one(name) for name in sorted(keys)))
    return [task for task in found if task is not None]


async def deployed_task(blobs: BlobStore, name: str) -> DeployedTask:
    """Return a deployed task.

    Raises:
        RemoteTaskNotFoundError: no such task is deployed, or a later version of upwell has deployed it.
    """
    try:
        task = await _latest(blobs, name)
    except ValidationError as e:
        message = f"task {name!r} was deployed by a later version of upwell; update this one"
        raise RemoteTaskNotFoundError(message) from e
    if task is None:
        raise RemoteTaskNotFoundError(f"no task {name!r} is deployed; `upwell deploy` the file that defines it")
    return task


async def _latest(blobs: BlobStore, name: str) -> DeployedTask | None:
    """Return a task as it is deployed; None if it is not."""
    for _ in range(READS):
        keys = [blob.key async for blob in blobs.list(task_prefix(name))]
        task = await _read(blobs, max(keys)) if keys else None
        if task is not None or not keys:
            return task
    return None


async def _read(blobs: BlobStore, key: str) -> DeployedTask | None:
    """Return a task; None if it was deployed anew meanwhile, which takes away what was there.

    Raises:
        ValidationError: it was deployed by a later version, in another form.
    """
    try:
        return DeployedTask.load(await blobs.get(key))
    except BlobNotFoundError:
        return None


async def start_deployed(
    backend: Backend,
    task: DeployedTask,
    inputs: Mapping[str, Any],
    *,
    name: str | None = None,
    labels: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
) -> RunRecord:
    """Start a run of a deployed task.

    Args:
        backend: Where it is deployed.
        task: What to run.
        inputs: As JSON; the process of the task converts them to its types.
        name: Id of the run; None makes one.
        labels: Of the run.
        timeout_s: Longest time that it may take, in seconds; None is unbounded.

    Raises:
        InputsError: they are not as the task's schema wants them.
        UsageError: the name is none, or the labels are too large.
        RemoteTaskNotFoundError: its code is gone.
        RunStateError: there is a run of this name.
        InlineIOMaxBytesBreached: the inputs are too large to be passed by value.
    """
    check_inputs(task, inputs)
    if not await backend.blobs.exists(bundle_key(task.bundle)):
        raise RemoteTaskNotFoundError(
            f"the code that {task.spec.name} was deployed with is gone from {backend.mode} "
            f"({bundle_key(task.bundle)}); `upwell deploy` the file that defines it again"
        )
    now = time.time()
    run_id = check_run_id(name) if name else new_run_id(now)
    check_travelling("labels", dict(labels or {}))
    encoded = dump_given(inputs)
    if len(encoded) > task.spec.max_inline_io_bytes:
        limit = task.spec.max_inline_io_bytes
        raise InlineIOMaxBytesBreached(too_large(task.spec.name, "inputs", len(encoded), limit))
    record = await run_record(
        backend.blobs,
        RunSpec(run_id=run_id, bundle=task.bundle, created_at=now),
        task.spec,
        encoded,
        outputs=task.outputs,
        labels=labels or {},
        pools=task.pools,
    )
    try:
        return await backend.start(record, timeout_s=timeout_s)
    except RunExistsError as e:
        raise RunStateError(f"there is a run {run_id!r} already; give another name, or none") from e


def check_inputs(task: DeployedTask, inputs: Mapping[str, Any]) -> None:
    """Refuse inputs that are not as a task's schema wants them.

    Raises:
        InputsError: the message says of each what is wrong with it.
    """
    from jsonschema import Draft202012Validator

    found = Draft202012Validator(task.inputs).iter_errors(dict(inputs))
    problems = [f"inputs{error.json_path.removeprefix('$')}: {error.message}" for error in found]
    if problems:
        more = f"; and {len(problems) - PROBLEMS_NAMED} more" if len(problems) > PROBLEMS_NAMED else ""
        raise InputsError(f"{task.spec.name}: {'; '.join(problems[:PROBLEMS_NAMED])}{more}")
