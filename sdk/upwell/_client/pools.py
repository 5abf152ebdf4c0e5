"""What a program needs deployed: the pools of the environments that its tasks may call."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from upwell._author.code_version.places import root_of
from upwell._author.environment import TaskEnvironment
from upwell._author.task import Task
from upwell._client.config import current_config
from upwell._core.keys import DEFAULT_POOL


def pools_of(task: Task[..., Any]) -> dict[str, TaskEnvironment]:
    """Return the environments with a pool of their own that a run of a task may reach, by pool name.

    These are the task's own environment, those that it depends on, and those of the same process: a program
    that defines an environment is taken to use it.
    """
    environments = with_dependencies([task.env, *_all_environments()])
    return {e.pool: e for e in environments if e.pool != DEFAULT_POOL}


def with_dependencies(environments: Iterable[TaskEnvironment]) -> list[TaskEnvironment]:
    """Return environments and all that they depend on, each once."""
    found: dict[int, TaskEnvironment] = {}
    todo = list(environments)
    while todo:
        environment = todo.pop()
        if id(environment) not in found:
            found[id(environment)] = environment
            todo += environment.depends_on
    return list(found.values())


def _all_environments() -> list[TaskEnvironment]:
    found = []
    for module in list(sys.modules.values()):
        found += [v for v in vars(module).values() if isinstance(v, TaskEnvironment)] if module else []
    return found


def root_dir_of(task: Task[..., Any], given: Path | None) -> Path:
    """Return the folder that code bundles start at: as given, as configured, or where the module is found."""
    root = given or current_config().root_dir
    if root is not None:
        return root.resolve()
    func: Any = inspect.unwrap(task.func)  # a decorator's wrapper is in the decorator's file
    file = Path(func.__code__.co_filename).resolve()
    return root_of(file, task.module) or file.parent
