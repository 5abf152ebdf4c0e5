"""Finds tasks by name: what crosses a process boundary is (module, name), never a function."""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING, Any

from upwell._types.main_module import own_name
from upwell.errors import TaskNotFoundError

if TYPE_CHECKING:
    from upwell._author.task import Task

_tasks: dict[tuple[str, str], Task[..., Any]] = {}


def register(task: Task[..., Any]) -> None:
    """Make a task known; a later one of the same module and name takes its place."""
    _tasks[task.func.__module__, task.name] = task


def forget(module: str) -> None:
    """Make the tasks of a module unknown, because another version of it takes its place."""
    for key in [key for key in _tasks if key[0] == module]:
        del _tasks[key]


def tasks_in(module: str) -> dict[str, Task[..., Any]]:
    """Return the tasks that a loaded module defines, by name."""
    own = own_name(module)
    return {name: task for (where, name), task in _tasks.items() if where == own}


def tasks_named(name: str) -> list[Task[..., Any]]:
    """Return the tasks of this name that loaded modules define, the latest last."""
    return [task for (_, known), task in _tasks.items() if known == name]


def resolve(module: str, name: str) -> Task[..., Any]:
    """Return a task, importing its module if need be.

    Args:
        module: Importable name of the module that defines it.
        name: `<environment>.<function>`.

    Raises:
        TaskNotFoundError: there is no such module, or no such task in it.
    """
    own = own_name(module)
    if (own, name) not in _tasks:
        _import(module, name)
        own = own_name(module)
    if (own, name) not in _tasks:
        known = tasks_in(module)
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(sorted(known)) or 'none'}"
        raise TaskNotFoundError(f"module {module!r} has no task {name!r}; {hint}")
    return _tasks[own, name]


def _import(module: str, name: str) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as e:
        if e.name is None or not (module == e.name or module.startswith(f"{e.name}.")):
            raise
        raise TaskNotFoundError(
            f"task {name!r}: there is no module {module!r} to import; "
            "is its file below root_dir, and are the folders between them importable?"
        ) from e
