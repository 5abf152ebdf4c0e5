"""The infrastructure of upwell as CDK constructs: put a `Platform` into a stack, and `Pool`s beside it."""

from __future__ import annotations

from importlib import import_module

_HOMES = {
    "CodeLocation": "deployment",
    "Deployment": "deployment",
    "LambdaExecutor": "executors",
    "Platform": "platform",
    "PlatformProps": "platform",
    "Pool": "pool",
    "PoolProps": "pool",
    "Stage": "stage",
    "UpwellStack": "stacks",
    "WorkerExecutor": "executors",
    "add_platform": "stacks",
    "add_pool": "stacks",
    "compose": "composition",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: CDK starts Node, which packaging and tests may not need."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
