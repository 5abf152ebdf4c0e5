"""Finds tasks by name: what crosses a process boundary is (module, name), never a function."""

from __future__ import annotations

import difflib
import importlib
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upwell.errors import TaskNotFoundError

if TYPE_CHECKING:
    from upwell._author.task import Task

MAIN = "__main__"
_tasks: dict[tuple[str, str], Task[..., Any]] = {}
_root: list[Path] = []


def set_root_dir(path: Path | None) -> None:
    """Say where the user's code starts; by default it is the folder of the script that runs."""
    _root[:] = [] if path is None else [path.resolve()]


def root_dir() -> Path | None:
    """Return the folder that `set_root_dir` was given, resolved; None if there is none."""
    return _root[0] if _root else None


def importable_name(module: str, root_dir: Path | None = None) -> str:
    """Return the name under which another process can import a module of this one.

    It is the module's own, except for the script that runs: its name comes from its file, relative to
    `root_dir` (default: what `set_root_dir` said, else its folder).
    """
    if module != MAIN:
        return module
    main = sys.modules.get(MAIN)
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name:
        return str(spec.name)
    file = getattr(main, "__file__", None)
    if file is None:
        return MAIN
    return _name_of_file(file, root_dir or (_root[0] if _root else None))


@cache
def _name_of_file(file: str, root_dir: Path | None) -> str:
    path = Path(file).resolve()
    root = root_dir.resolve() if root_dir is not None else path.parent
    relative = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
    return ".".join(relative.with_suffix("").parts)


def register(task: Task[..., Any]) -> None:
    """Make a task known; a later one of the same module and name takes its place."""
    _tasks[task.func.__module__, task.name] = task


def forget(module: str) -> None:
    """Make the tasks of a module unknown, because another version of it takes its place."""
    for key in [key for key in _tasks if key[0] == module]:
        del _tasks[key]


def tasks_in(module: str) -> dict[str, Task[..., Any]]:
    """Return the tasks that a loaded module defines, by name."""
    own = _own_name(module)
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
    own = _own_name(module)
    if (own, name) not in _tasks:
        _import(module, name)
        own = _own_name(module)
    if (own, name) not in _tasks:
        known = tasks_in(module)
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(sorted(known)) or 'none'}"
        raise TaskNotFoundError(f"module {module!r} has no task {name!r}; {hint}")
    return _tasks[own, name]


def _own_name(module: str) -> str:
    """Return the name that a module goes by in this process: the running script is `__main__`."""
    return MAIN if module == importable_name(MAIN) else module


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
