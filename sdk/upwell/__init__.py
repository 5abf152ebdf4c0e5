"""Durable Python functions at any fan-out, on your own AWS account, with nothing running when nothing runs.

The names below are all there is; each is loaded when it is first used, so `import upwell` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upwell import (
        ai,
        app,
        artifacts,
        clustered,
        config,
        connectors,
        durable,
        errors,
        extend,
        extras,
        git,
        io,
        models,
        notify,
        prefetch,
        remote,
        report,
        sandbox,
        storage,
        syncify,
        types,
    )
    from upwell._author.cache import Cache, CachePolicy, CacheRequest, CodePolicy, FunctionBodyPolicy
    from upwell._author.checkpoint import Checkpoint, latest_checkpoint
    from upwell._author.context import TaskContext, ctx, custom_context, get_custom_context, group
    from upwell._author.devices import AMD_GPU, APPLE_SILICON, GPU, HABANA_GAUDI, TPU, Device, Neuron
    from upwell._author.environment import TaskEnvironment
    from upwell._author.environment import TaskEnvironment as Environment
    from upwell._author.image import Image
    from upwell._author.labels import Documentation, Link, PodTemplate
    from upwell._author.logs import logger, system_logger
    from upwell._author.map import map  # noqa: A004  # the programming model's name
    from upwell._author.out_of_scope import (
        ConditionWebhook,
        load_interactive_ctx,
        load_plugin_config,
        new_condition,
        run_python_script,
        serve,
        with_servecontext,
    )
    from upwell._author.policies import Backoff, RetryStrategy, Timeout, TimeoutType
    from upwell._author.resources import Resources
    from upwell._author.reuse import ReusePolicy
    from upwell._author.secret import Secret
    from upwell._author.task import Task
    from upwell._author.task import Task as AsyncFunctionTaskTemplate
    from upwell._author.task import Task as TaskTemplate
    from upwell._author.trace import trace
    from upwell._author.triggers import (
        Cron,
        FixedRate,
        OnArtifact,
        Trigger,
        TriggeredArtifact,
        TriggeredPartition,
        TriggerTime,
    )
    from upwell._client.again import recover, rerun
    from upwell._client.api import ImageBuild, build, build_images, deploy, run, with_runcontext
    from upwell._client.config import (
        current_domain,
        current_project,
        init,
        init_from_api_key,
        init_from_config,
        init_in_cluster,
        init_passthrough,
        is_control_plane_available,
    )
    from upwell._client.run_handle import Run

__version__ = "0.1.0"

_HOMES = {
    "_author.cache": ("Cache", "CachePolicy", "CacheRequest", "CodePolicy", "FunctionBodyPolicy"),
    "_author.checkpoint": ("Checkpoint", "latest_checkpoint"),
    "_author.context": ("TaskContext", "ctx", "custom_context", "get_custom_context", "group"),
    "_author.devices": ("AMD_GPU", "APPLE_SILICON", "Device", "GPU", "HABANA_GAUDI", "Neuron", "TPU"),
    "_author.environment": ("TaskEnvironment",),
    "_author.image": ("Image",),
    "_author.labels": ("Documentation", "Link", "PodTemplate"),
    "_author.logs": ("logger", "system_logger"),
    "_author.map": ("map",),
    "_author.out_of_scope": (
        "ConditionWebhook",
        "load_interactive_ctx",
        "load_plugin_config",
        "new_condition",
        "run_python_script",
        "serve",
        "with_servecontext",
    ),
    "_author.policies": ("Backoff", "RetryStrategy", "Timeout", "TimeoutType"),
    "_author.resources": ("Resources",),
    "_author.reuse": ("ReusePolicy",),
    "_author.secret": ("Secret",),
    "_author.task": ("Task",),
    "_author.trace": ("trace",),
    "_author.triggers": (
        "Cron",
        "FixedRate",
        "OnArtifact",
        "Trigger",
        "TriggerTime",
        "TriggeredArtifact",
        "TriggeredPartition",
    ),
    "_client.again": ("recover", "rerun"),
    "_client.api": ("ImageBuild", "build", "build_images", "deploy", "run", "with_runcontext"),
    "_client.config": (
        "current_domain",
        "current_project",
        "init",
        "init_from_api_key",
        "init_from_config",
        "init_in_cluster",
        "init_passthrough",
        "is_control_plane_available",
    ),
    "_client.run_handle": ("Run",),
}
_ALIASES = {"AsyncFunctionTaskTemplate": "Task", "TaskTemplate": "Task", "Environment": "TaskEnvironment"}
"""Other names for the same, in programs written elsewhere."""
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = (
    "ai",
    "app",
    "artifacts",
    "clustered",
    "config",
    "connectors",
    "durable",
    "errors",
    "extend",
    "extras",
    "git",
    "io",
    "models",
    "notify",
    "prefetch",
    "remote",
    "report",
    "sandbox",
    "storage",
    "syncify",
    "types",
)

__all__ = [
    "AMD_GPU",
    "APPLE_SILICON",
    "GPU",
    "HABANA_GAUDI",
    "TPU",
    "AsyncFunctionTaskTemplate",
    "Backoff",
    "Cache",
    "CachePolicy",
    "CacheRequest",
    "Checkpoint",
    "CodePolicy",
    "ConditionWebhook",
    "Cron",
    "Device",
    "Documentation",
    "Environment",
    "FixedRate",
    "FunctionBodyPolicy",
    "Image",
    "ImageBuild",
    "Link",
    "Neuron",
    "OnArtifact",
    "PodTemplate",
    "Resources",
    "RetryStrategy",
    "ReusePolicy",
    "Run",
    "Secret",
    "Task",
    "TaskContext",
    "TaskEnvironment",
    "TaskTemplate",
    "Timeout",
    "TimeoutType",
    "Trigger",
    "TriggerTime",
    "TriggeredArtifact",
    "TriggeredPartition",
    "__version__",
    "ai",
    "app",
    "artifacts",
    "build",
    "build_images",
    "clustered",
    "config",
    "connectors",
    "ctx",
    "current_domain",
    "current_project",
    "custom_context",
    "deploy",
    "durable",
    "errors",
    "extend",
    "extras",
    "get_custom_context",
    "git",
    "group",
    "init",
    "init_from_api_key",
    "init_from_config",
    "init_in_cluster",
    "init_passthrough",
    "io",
    "is_control_plane_available",
    "latest_checkpoint",
    "load_interactive_ctx",
    "load_plugin_config",
    "logger",
    "map",
    "models",
    "new_condition",
    "notify",
    "prefetch",
    "recover",
    "remote",
    "report",
    "rerun",
    "run",
    "run_python_script",
    "sandbox",
    "serve",
    "storage",
    "syncify",
    "system_logger",
    "trace",
    "types",
    "version",
    "with_runcontext",
    "with_servecontext",
]


def version() -> str:
    """Return the version of upwell."""
    return __version__


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    own = _ALIASES.get(name, name)
    if own not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[own]}"), own)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
