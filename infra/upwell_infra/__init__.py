"""The infrastructure of upwell as CDK constructs: put a `Platform` into a stack, and `Pool`s beside it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upwell_infra.alarm_props import AlarmProps, Thresholds
    from upwell_infra.bucket import Retention
    from upwell_infra.composition import compose
    from upwell_infra.deployment import CodeLocation, Deployment
    from upwell_infra.executors import LambdaExecutor, WorkerExecutor
    from upwell_infra.platform import Platform, PlatformProps
    from upwell_infra.pool import Pool, PoolProps
    from upwell_infra.stacks import UpwellStack, add_platform, add_pool
    from upwell_infra.stage import Stage

__all__ = [
    "AlarmProps",
    "CodeLocation",
    "Deployment",
    "LambdaExecutor",
    "Platform",
    "PlatformProps",
    "Pool",
    "PoolProps",
    "Retention",
    "Stage",
    "Thresholds",
    "UpwellStack",
    "WorkerExecutor",
    "add_platform",
    "add_pool",
    "compose",
]

_HOMES = {
    "alarm_props": ("AlarmProps", "Thresholds"),
    "bucket": ("Retention",),
    "composition": ("compose",),
    "deployment": ("CodeLocation", "Deployment"),
    "executors": ("LambdaExecutor", "WorkerExecutor"),
    "platform": ("Platform", "PlatformProps"),
    "pool": ("Pool", "PoolProps"),
    "stacks": ("UpwellStack", "add_platform", "add_pool"),
    "stage": ("Stage",),
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: CDK starts Node, which packaging the runtime does without."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
