"""The public names: adding or removing one is a decision, made here."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import upwell

ROOT = Path(__file__).parents[2]


def test_the_public_names_are_these() -> None:
    assert upwell.__all__ == [
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


@pytest.mark.parametrize("name", upwell.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(upwell, name) is not None
    assert name in dir(upwell)


def test_other_names_are_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = upwell.no_such_name


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert upwell.version() == upwell.__version__ == project["version"]
