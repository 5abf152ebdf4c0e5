"""The public names: adding or removing one is a decision, made here."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import upwell

ROOT = Path(__file__).parents[2]


def test_the_public_names_are_these() -> None:
    assert upwell.__all__ == [
        "Backoff",
        "Cache",
        "CachePolicy",
        "CacheRequest",
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
        "errors",
        "get_custom_context",
        "group",
        "init",
        "init_from_config",
        "io",
        "logger",
        "map",
        "recover",
        "rerun",
        "run",
        "system_logger",
        "trace",
        "version",
        "with_runcontext",
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
