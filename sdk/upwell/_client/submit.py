"""Makes the records of a new run, and of a recovery of an old one."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from upwell import errors
from upwell._author.task import Task
from upwell._client.options import RunOptions
from upwell._core.keys import version_key
from upwell._core.limits import RECORD_INLINE_BYTES
from upwell._core.model import ROOT_ID, ActionSpec, Payload, PoolSize, RunRecord, RunSpec, Status, TaskSpec
from upwell._core.ports import BlobStore
from upwell._core.sizes import check_travelling, too_large
from upwell._exec.payloads import pack

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def new_run_id(now: float) -> str:
    """Return a run id that sorts by time: `r<date>-<time>-<random>`."""
    return f"r{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def check_run_id(name: str) -> str:
    """Return a run id that Step Functions takes as a name.

    Raises:
        UsageError: it doesn't.
    """
    if not RUN_ID.fullmatch(name):
        raise errors.UsageError(
            f"run name {name!r} must be 1 to 64 letters, digits, '-' and '_', and start with a letter or digit"
        )
    return name


def encode_root_inputs(task: Task[..., Any], inputs: Mapping[str, Any]) -> bytes:
    """Encode the bound inputs of a root task.

    Raises:
        TypeError, ValueError: they don't fit its signature.
        InlineIOMaxBytesBreached: they are too large to be passed by value.
    """
    return check_root_size(task, task.interface.encode_inputs(dict(inputs)))


def check_root_size(task: Task[..., Any], encoded: bytes) -> bytes:
    """Return encoded inputs that are not too large.

    Raises:
        InlineIOMaxBytesBreached: they are too large to be passed by value.
    """
    if len(encoded) > task.max_inline_io_bytes:
        limit = task.max_inline_io_bytes
        raise errors.InlineIOMaxBytesBreached(too_large(task.name, "inputs", len(encoded), limit))
    return encoded


async def new_run(
    blobs: BlobStore,
    task: Task[..., Any],
    encoded: bytes,
    options: RunOptions,
    *,
    run_id: str,
    bundle: str | None,
    now: float,
    code: str | None = None,
    pools: Mapping[str, PoolSize] | None = None,
) -> RunRecord:
    """Return the record of a run that is to be started.

    Raises:
        UsageError: its context, environment variables or labels are too large to travel with it.
    """
    check_travelling("custom_context", options.custom_context)
    check_travelling("env_vars", options.env_vars)
    check_travelling("labels", options.labels)
    spec = RunSpec(
        run_id=run_id,
        bundle=bundle,
        created_at=now,
        custom_context=dict(options.custom_context),
        env_vars=dict(options.env_vars),
        cache_mode=options.cache_mode,
        strict=bool(options.strict),
        max_actions=options.max_actions,
        max_depth=options.max_depth,
    )
    root_task = task.spec(encoded, cache=not options.disable_run_cache)
    if root_task.cache_parts is not None:
        document = task.code_document
        await blobs.put(version_key(document.digest), document.dump().encode())
    names = task.interface.output_names
    return await run_record(
        blobs,
        spec,
        root_task,
        encoded,
        outputs=names if len(names) > 1 else None,
        labels=options.labels,
        pools=pools or {},
        code=code,
    )


async def run_record(
    blobs: BlobStore,
    spec: RunSpec,
    task: TaskSpec,
    encoded: bytes,
    *,
    outputs: tuple[str, ...] | None,
    labels: Mapping[str, str],
    pools: Mapping[str, PoolSize],
    code: str | None = None,
) -> RunRecord:
    """Return the record of a run of a task, with encoded inputs; its time is the spec's."""
    now = spec.created_at
    root = ActionSpec(
        run=spec,
        action_id=ROOT_ID,
        task=task,
        # They are in the run's record, too, and so twice in the execution's input, where quoted text grows.
        inputs=await pack(blobs, spec.run_id, encoded, inline_bytes=RECORD_INLINE_BYTES),
        queued_at=now,
    )
    return RunRecord(
        spec=spec,
        task=task.name,
        status=Status.RUNNING,
        root=root,
        labels=dict(labels),
        outputs=outputs,
        code=code,
        look_at=now,
        pools=dict(pools),
    )


def run_again(
    run: RunRecord, run_id: str, inputs: Payload, now: float, *, new_code: NewCode | None = None
) -> RunRecord:
    """Return the record of a new run of the same task, with the options of an earlier one.

    Args:
        run: The earlier one.
        run_id: Of the new one.
        inputs: Of the new one.
        now: The time, epoch seconds.
        new_code: Code for the new one; None takes that of the earlier one.
    """
    spec = replace(run.spec, run_id=run_id, generation=1, code_generation=1, created_at=now)
    task = run.root.task
    if new_code is not None:
        spec, task = replace(spec, bundle=new_code.bundle), new_code.task
    return replace(
        run,
        spec=spec,
        status=Status.RUNNING,
        version=1,
        ended_at=None,
        outcome=None,
        root=replace(run.root, run=spec, task=task, inputs=inputs, queued_at=now),
        code=run.code if new_code is None else new_code.code,
    )


def with_more(run: RunRecord, labels: Mapping[str, str], env_vars: Mapping[str, str]) -> RunRecord:
    """Return a run with further labels and environment variables.

    Raises:
        UsageError: they are too large to travel with each message.
    """
    more_labels, more_vars = {**run.labels, **labels}, {**run.spec.env_vars, **env_vars}
    check_travelling("labels", more_labels)
    check_travelling("env_vars", more_vars)
    return replace(run, labels=more_labels, spec=replace(run.spec, env_vars=more_vars))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBounds:
    """Bounds that a run is to go on with, in place of its own; None leaves one as it is."""

    max_actions: int | None = None
    max_depth: int | None = None

    def of(self, run: RunSpec) -> RunSpec:
        """Return a run with these bounds."""
        return replace(
            run,
            max_actions=run.max_actions if self.max_actions is None else self.max_actions,
            max_depth=run.max_depth if self.max_depth is None else self.max_depth,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCode:
    """Code that a run is to go on with, in place of its own.

    Attributes:
        bundle: Of a run on `sandbox` or `aws`.
        code: Of a local run; see `RunRecord.code`.
        task: The root task as the new code has it.
    """

    bundle: str | None = None
    code: str | None = None
    task: TaskSpec


def next_generation(
    run: RunRecord, now: float, *, new_code: NewCode | None = None, bounds: NewBounds | None = None
) -> RunRecord:
    """Return the record that recovers a run: what succeeded is kept, the rest is done again.

    Args:
        run: The run as it is.
        now: The time, epoch seconds.
        new_code: Code to go on with; None stays on the run's own.
        bounds: Bounds to go on with.
    """
    generation = run.spec.generation + 1
    spec = replace((bounds or NewBounds()).of(run.spec), generation=generation)
    if new_code is not None:
        spec = replace(spec, bundle=new_code.bundle, code_generation=generation)
        run = replace(run, code=new_code.code, root=replace(run.root, task=new_code.task))
    return replace(
        run,
        spec=spec,
        status=Status.RUNNING,
        version=run.version + 1,
        ended_at=None,
        outcome=None,
        root=replace(run.root, run=spec, queued_at=now),
        look_at=now,
        looked_at=0.0,
    )
