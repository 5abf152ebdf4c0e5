"""From the context in cdk.json to stacks: a platform, and the pools named there."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from aws_cdk import App

from upwell_infra.alarm_props import AlarmProps, Thresholds
from upwell_infra.bucket import Retention
from upwell_infra.deployment import LOG_LEVELS
from upwell_infra.errors import InfraError
from upwell_infra.executors import LambdaExecutor, WorkerExecutor
from upwell_infra.platform import Platform, PlatformProps
from upwell_infra.stacks import UpwellStack, add_platform, add_pool
from upwell_infra.stage import Stage

CONTEXT_PREFIX = "upwell:"
KINDS: dict[str, type[LambdaExecutor | WorkerExecutor]] = {"lambda": LambdaExecutor, "worker": WorkerExecutor}
JSON_NAMES = {str: "string", int: "number", dict: "object", list: "array", bool: "boolean"}
T = TypeVar("T")


def compose(app: App, build_dir: Path) -> Platform:
    """Put the platform of a stage and its pools into an app.

    Context: `upwell:stage` (`dev`), `upwell:data-retention-days` (30), `upwell:cached-retention-days` and
    `upwell:code-retention-days` (0: kept), `upwell:alarms` (true in `prod`), `upwell:alarm-topic-arns` (none),
    `upwell:alarm-thresholds` (the arguments of `Thresholds`), `upwell:log-level` (`INFO`), `upwell:traces`
    (false), `upwell:run-api` (false), `upwell:pools`: by name, `{"kind": "lambda" | "worker", ...}` with the
    arguments of `LambdaExecutor` or `WorkerExecutor`.

    Args:
        app: The app.
        build_dir: Where the runtime's zip is kept between deployments.

    Raises:
        InfraError: a value in the context cannot be used.
    """
    stage = Stage.of(_context(app, "stage", str, "dev"))
    pools: dict[str, Any] = _context(app, "pools", dict, {})
    executors = {name: executor_of(name, spec) for name, spec in pools.items()}
    stack = UpwellStack(app, stage.prefix, stage=stage, name=stage.prefix, purpose="platform")
    props = PlatformProps(
        code=stack.packaged_code(build_dir),
        stage=stage,
        retention=Retention(
            run_days=_context(app, "data-retention-days", int, 30),
            cached_days=_context(app, "cached-retention-days", int, 0) or None,
            code_days=_context(app, "code-retention-days", int, 0) or None,
        ),
        alarms=_alarms(app, stage),
        log_level=_log_level(app),
        traces=_context(app, "traces", bool, False),
        run_api=_context(app, "run-api", bool, False),
    )
    platform = add_platform(stack, props)
    for name, executor in executors.items():
        full = f"{stage.prefix}-pool-{name}"
        pool_stack = UpwellStack(app, full, stage=stage, name=full, purpose=f"pool {name}")
        pool_stack.add_stack_dependency(stack)
        add_pool(pool_stack, platform.deployment, stage, name, executor)
    return platform


def executor_of(pool: str, spec: object) -> LambdaExecutor | WorkerExecutor:
    """Return the executor that a pool's entry in the context describes.

    Raises:
        InfraError: the kind or an argument is unknown, or a number is out of bounds.
    """
    where = f"pool {pool!r} in the context {CONTEXT_PREFIX}pools"
    if not isinstance(spec, dict):
        raise InfraError(f"{where}: {spec!r} must be an object with a kind and its arguments")
    arguments = dict(spec)
    kind = arguments.pop("kind", None)
    if kind not in KINDS:
        raise InfraError(f"{where}: kind={kind!r} is not one of {', '.join(KINDS)}")
    types = {field.name: field.type for field in fields(KINDS[kind])}
    for name, value in arguments.items():
        if name not in types:
            raise InfraError(f"{where}: unknown argument {name!r}; known are {', '.join(sorted(types))}")
        if types[name] == "bool":
            if not isinstance(value, bool):
                raise InfraError(f"{where}: {name}={value!r} must be true or false")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise InfraError(f"{where}: {name}={value!r} must be a number")
    try:
        return KINDS[kind](**arguments)
    except InfraError as e:
        raise InfraError(f"{where}: {e}") from e


def _alarms(app: App, stage: Stage) -> AlarmProps:
    where = f"context {CONTEXT_PREFIX}alarm-thresholds"
    chosen: dict[str, Any] = _context(app, "alarm-thresholds", dict, {})
    known = [threshold.name for threshold in fields(Thresholds)]
    for name, value in chosen.items():
        if name not in known:
            raise InfraError(f"{where}: unknown threshold {name!r}; known are {', '.join(sorted(known))}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InfraError(f"{where}: {name}={value!r} must be a number")
    return AlarmProps(
        enabled=_context(app, "alarms", bool, stage.alarms),
        topic_arns=_context(app, "alarm-topic-arns", list, []),
        thresholds=Thresholds(**chosen),
    )


def _log_level(app: App) -> str:
    level = _context(app, "log-level", str, "INFO")
    if level not in LOG_LEVELS:
        raise InfraError(f"context {CONTEXT_PREFIX}log-level={level!r} is not one of {', '.join(LOG_LEVELS)}")
    return level


def _context(app: App, name: str, kind: type[T], default: T) -> T:
    """Return a value of the context; given on the command line (`-c`), it is the text of a JSON value."""
    key = CONTEXT_PREFIX + name
    value = app.node.try_get_context(key)
    if value is None:
        return default
    if isinstance(value, str) and kind is not str:
        try:
            value = json.loads(value)
        except ValueError as e:
            raise InfraError(f"context {key}={value!r} is not JSON: {e}") from e
    if isinstance(value, float) and kind is int and value.is_integer():
        value = int(value)  # every number that comes from Node is a float
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InfraError(f"context {key}={value!r} must be a JSON value of type {JSON_NAMES[kind]}")
    return value
