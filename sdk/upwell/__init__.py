"""Durable Python functions at any fan-out, on your own AWS account, with nothing running when nothing runs.

The names below are all there is; each is loaded when it is first used, so `import upwell` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upwell import durable, errors, io, report, syncify
    from upwell._author.cache import Cache, CachePolicy, CacheRequest, CodePolicy, FunctionBodyPolicy
    from upwell._author.checkpoint import Checkpoint, latest_checkpoint
    from upwell._author.context import TaskContext, ctx, custom_context, get_custom_context, group
    from upwell._author.environment import TaskEnvironment
    from upwell._author.image import Image
    from upwell._author.logs import logger, system_logger
    from upwell._author.map import map  # noqa: A004  # the programming model's name
    from upwell._author.policies import Backoff, RetryStrategy, Timeout, TimeoutType
    from upwell._author.resources import Resources
    from upwell._author.reuse import ReusePolicy
    from upwell._author.secret import Secret
    from upwell._author.task import Task
    from upwell._author.trace import trace
    from upwell._client.again import recover, rerun
    from upwell._client.api import deploy, init, init_from_config, run, with_runcontext
    from upwell._client.run_handle import Run

__version__ = "0.1.0"

_HOMES = {
    "_author.cache": ("Cache", "CachePolicy", "CacheRequest", "CodePolicy", "FunctionBodyPolicy"),
    "_author.checkpoint": ("Checkpoint", "latest_checkpoint"),
    "_author.context": ("TaskContext", "ctx", "custom_context", "get_custom_context", "group"),
    "_author.environment": ("TaskEnvironment",),
    "_author.image": ("Image",),
    "_author.logs": ("logger", "system_logger"),
    "_author.map": ("map",),
    "_author.policies": ("Backoff", "RetryStrategy", "Timeout", "TimeoutType"),
    "_author.resources": ("Resources",),
    "_author.reuse": ("ReusePolicy",),
    "_author.secret": ("Secret",),
    "_author.task": ("Task",),
    "_author.trace": ("trace",),
    "_client.again": ("recover", "rerun"),
    "_client.api": ("deploy", "init", "init_from_config", "run", "with_runcontext"),
    "_client.run_handle": ("Run",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = ("durable", "errors", "io", "report", "syncify")

__all__ = [
    "Backoff",
    "Cache",
    "CachePolicy",
    "CacheRequest",
    "Checkpoint",
    "CodePolicy",
    "FunctionBodyPolicy",
    "Image",
    "Resources",
    "RetryStrategy",
    "ReusePolicy",
    "Run",
    "Secret",
    "Task",
    "TaskContext",
    "TaskEnvironment",
    "Timeout",
    "TimeoutType",
    "__version__",
    "ctx",
    "custom_context",
    "deploy",
    "durable",
    "errors",
    "get_custom_context",
    "group",
    "init",
    "init_from_config",
    "io",
    "latest_checkpoint",
    "logger",
    "map",
    "recover",
    "report",
    "rerun",
    "run",
    "syncify",
    "system_logger",
    "trace",
    "version",
    "with_runcontext",
]


def version() -> str:
    """Return the version of upwell."""
    return __version__


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
