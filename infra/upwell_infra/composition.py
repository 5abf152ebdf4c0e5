"""From the context in cdk.json to stacks: a platform, and the pools named there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from aws_cdk import App

from upwell_infra.executors import ExecutorError, LambdaExecutor, WorkerExecutor
from upwell_infra.platform import Platform, PlatformProps
from upwell_infra.stacks import UpwellStack, add_platform, add_pool
from upwell_infra.stage import Stage

CONTEXT_PREFIX = "upwell:"
KINDS: dict[str, type[LambdaExecutor | WorkerExecutor]] = {"lambda": LambdaExecutor, "worker": WorkerExecutor}


class ContextError(ValueError):
    """A value in the context of cdk.json cannot be used."""


def compose(app: App, build_dir: Path) -> Platform:
    """Put the platform of a stage and its pools into an app.

    Context: `upwell:stage` (`dev`), `upwell:data-retention-days` (30), `upwell:alarm-topic-arns` (none),
    `upwell:pools`: by name, `{"kind": "lambda" | "worker", ...}` with the arguments of `LambdaExecutor` or
    `WorkerExecutor`.

    Args:
        app: The app.
        build_dir: Where the runtime's zip is kept between deployments.

    Raises:
        ContextError: a value in the context cannot be used.
    """
    stage = Stage.of(str(_context(app, "stage", "dev")))
    pools: Mapping[str, Mapping[str, Any]] = _context(app, "pools", {})
    executors = {name: executor_of(name, spec) for name, spec in pools.items()}
    stack = UpwellStack(app, stage.prefix, stage=stage, name=stage.prefix, purpose="platform")
    props = PlatformProps(
        code=stack.packaged_code(build_dir),
        stage=stage,
        data_retention_days=float(_context(app, "data-retention-days", 30)),
        alarm_topic_arns=list(_context(app, "alarm-topic-arns", [])),
    )
    platform = add_platform(stack, props)
    for name, executor in executors.items():
        full = f"{stage.prefix}-pool-{name}"
        pool_stack = UpwellStack(app, full, stage=stage, name=full, purpose=f"pool {name}")
        pool_stack.add_dependency(stack)
        add_pool(pool_stack, platform.deployment, stage, name, executor)
    return platform


def executor_of(pool: str, spec: Mapping[str, Any]) -> LambdaExecutor | WorkerExecutor:
    """Return the executor that a pool's entry in the context describes.

    Raises:
        ContextError: the kind or an argument is unknown, or a number is out of bounds.
    """
    where = f"pool {pool!r} in the context {CONTEXT_PREFIX}pools"
    arguments = dict(spec)
    kind = arguments.pop("kind", None)
    if kind not in KINDS:
        raise ContextError(f"{where}: kind={kind!r} is not one of {', '.join(KINDS)}")
    known = {field.name for field in fields(KINDS[kind])}
    for name, value in arguments.items():
        if name not in known:
            raise ContextError(f"{where}: unknown argument {name!r}; known are {', '.join(sorted(known))}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ContextError(f"{where}: {name}={value!r} must be a number")
    try:
        return KINDS[kind](**arguments)
    except ExecutorError as e:
        raise ContextError(f"{where}: {e}") from e


def _context(app: App, name: str, default: Any) -> Any:
    value = app.node.try_get_context(CONTEXT_PREFIX + name)
    return default if value is None else value
