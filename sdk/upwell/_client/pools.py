"""What a program needs deployed: the pools of the environments that its tasks may call."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from upwell._author.environment import TaskEnvironment
from upwell._author.task import Task
from upwell._client.config import current_config


def pools_of(task: Task[..., Any]) -> dict[str, object]:
    """Return the environments with a pool of their own that a run of a task may reach, by pool name.

    These are the task's own environment, those that it depends on, and those of the same process: a program
    that defines an environment is taken to use it.
    """
    found: dict[str, object] = {}
    todo = [task.env, *_all_environments()]
    seen: set[int] = set()
    while todo:
        environment = todo.pop()
        if id(environment) in seen:
            continue
        seen.add(id(environment))
        if environment.pool != "default":
            found[environment.pool] = environment
        todo += environment.depends_on
    return found


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
    file = Path(task.func.__code__.co_filename).resolve()
    return file.parents[task.module.count(".")]
