"""Loads a file of tasks under the name by which other processes import it, and finds tasks in it."""

from __future__ import annotations

import difflib
import importlib
import linecache
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from upwell._author.registry import tasks_in
from upwell._author.task import Task
from upwell._cli.failures import ProgramError
from upwell._types.main_module import set_root_dir
from upwell.errors import ReusePolicyError, TaskNotFoundError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A loaded file.

    Attributes:
        file: As it was given.
        path: Absolute.
        root: The folder that its module's name starts at.
        module: The module.
        tasks: Its tasks, and those that it imports, by full name.
    """

    file: str
    path: Path
    root: Path
    module: ModuleType
    tasks: dict[str, Task[..., Any]]


def load_program(file: str, root_dir: Path | None = None) -> Program:
    """Import a file.

    Args:
        file: Path of a Python file.
        root_dir: Folder that its module's name starts at; by default its own.

    Raises:
        UsageError: there is no such file, or it cannot have an importable name.
        ProgramError: its code raised an exception.
    """
    path = Path(file).absolute()
    _check_file(file, path)
    root = path.parent if root_dir is None else root_dir.absolute()
    name = _module_name(file, path, root)
    set_root_dir(root)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    module = _import(file, name)
    _check_is_file(file, path, module)
    found = dict(tasks_in(name))
    found |= {task.name: task for task in vars(module).values() if isinstance(task, Task)}
    return Program(file=file, path=path, root=root, module=module, tasks=found)


def check_root(program: Program, root_dir: Path | None) -> None:
    """Refuse a root folder that is not the one that a program was loaded from.

    Raises:
        UsageError: the file is not below it.
    """
    if root_dir is not None and root_dir.absolute() != program.root:
        raise _not_below(program.file, root_dir)


def find_task(program: Program, name: str) -> Task[..., Any]:
    """Return a task by its function's name or its full name, `environment.function`.

    Raises:
        TaskNotFoundError: there is no such task; the message lists what there is.
    """
    if name in program.tasks:
        return program.tasks[name]
    matches = [task for task in program.tasks.values() if task.func.__name__ == name]
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = " or ".join(sorted(task.name for task in matches))
        raise TaskNotFoundError(f"{program.file} has several tasks {name!r}; say {names}")
    if callable(getattr(program.module, name, None)):
        raise TaskNotFoundError(
            f"{name!r} in {program.file} is not a task; decorate it with @env.task of a TaskEnvironment"
        )
    raise TaskNotFoundError(f"{program.file} has no task {name!r}; {_hint(program, name)}")


def _hint(program: Program, name: str) -> str:
    if not program.tasks:
        return "no function in it is decorated with @env.task"
    known = sorted({*program.tasks, *(task.func.__name__ for task in program.tasks.values())})
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    start = f"did you mean {close[0]!r}? all: " if close else "it has "
    return f"{start}{', '.join(sorted(program.tasks))}"


def _check_file(file: str, path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"{file} is a folder; name the Python file in it that has the task")
    if not path.is_file():
        near = difflib.get_close_matches(path.name, _python_files(path.parent), n=1)
        hint = f"did you mean {str(Path(file).with_name(near[0]))!r}?" if near else "check the path"
        raise UsageError(f"there is no file {file!r} in {Path.cwd()}; {hint}")
    if path.suffix != ".py":
        raise UsageError(f"{file} is not a Python file; its name must end in .py")


def _python_files(folder: Path) -> list[str]:
    return [p.name for p in folder.glob("*.py")] if folder.is_dir() else []


def _module_name(file: str, path: Path, root: Path) -> str:
    if not path.is_relative_to(root):
        raise _not_below(file, root)
    parts = path.relative_to(root).with_suffix("").parts
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    if any("." in part for part in parts):
        raise UsageError(f"{file} cannot be imported, because of the dots in its name; rename it")
    return ".".join(parts)


def _not_below(file: str, root: Path) -> UsageError:
    return UsageError(f"{file} is not below --root-dir {root}; give a folder that contains it")


def _import(file: str, name: str) -> ModuleType:
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except (UsageError, ReusePolicyError) as e:
        raise UsageError(f"{_where(e, file)}: {e}") from e
    except KeyboardInterrupt:
        raise
    except BaseException as e:
        text = f"{_where(e, file)}: importing it raised {type(e).__name__}: {e}"
        raise ProgramError(f"{text}; fix the file, or run from where its imports work", _frames(e)) from e


def _check_is_file(file: str, path: Path, module: ModuleType) -> None:
    """Refuse a file whose name means another module: a process elsewhere would import that one."""
    found = getattr(module, "__file__", None)
    if found is None or Path(found).resolve() != path.resolve():
        raise UsageError(
            f"{file} has the name of another module, {module.__name__!r} ({found or 'built in'}); rename it"
        )


def _user_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames of an import that are not the importing machinery's or ours."""
    ours = str(Path(__file__).parents[1])
    frames = traceback.extract_tb(error.__traceback__)
    return [
        f
        for f in frames
        if not f.filename.startswith(ours)
        and not f.filename.startswith("<frozen")
        and f.filename != importlib.__file__
    ]


def _where(error: BaseException, file: str) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{file}, line {error.lineno}"
    frames = [f for f in _user_frames(error) if Path(f.filename).name == Path(file).name]
    return f"{file}, line {frames[-1].lineno}" if frames else file


def _frames(error: BaseException) -> str:
    linecache.checkcache()
    text = "".join(traceback.format_list(_user_frames(error)))
    return "Traceback (most recent call last):\n" + text + "".join(traceback.format_exception_only(error))
