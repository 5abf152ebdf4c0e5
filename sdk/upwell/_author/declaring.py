"""Checks of what is decorated, and of names: errors where the mistake is written."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from upwell._author.reuse import ReusePolicy
from upwell._core.limits import NAME_CHARS
from upwell.errors import ReusePolicyError

_NAME = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
DESCRIPTION_MAX = 255


def check_environment_name(name: object) -> None:
    """Check the name of an environment.

    Raises:
        ValueError: it is not in kebab or snake case.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"TaskEnvironment(name={name!r}): a name is lower-case letters and digits, "
            "in parts joined by - or _, like 'data-prep' or 'data_prep'"
        )
    _check_length(name, f"TaskEnvironment(name={name!r})")


def _check_length(name: str, where: str) -> None:
    if len(name) > NAME_CHARS:
        raise ValueError(f"{where}: the name has {len(name)} characters; it may have {NAME_CHARS}")


def is_async_function(func: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine; also for decorators that keep the function in `__wrapped__`."""
    if inspect.isfunction(func):
        return inspect.iscoroutinefunction(func)
    return inspect.iscoroutinefunction(inspect.unwrap(func))


def check_task_function(func: object, environment: str) -> None:
    """Check that a decorated object can be a task.

    Raises:
        TypeError: it cannot; the message says why.
    """
    name = getattr(func, "__name__", None)
    where = f"@task of environment {environment!r}"
    if isinstance(func, type):
        raise TypeError(f"{where}: {name!r} is a class; decorate a function that uses it")
    if isinstance(func, staticmethod | classmethod):
        raise TypeError(f"{where}: {name!r} is a {type(func).__name__}; decorate a function of the module")
    if not callable(func) or not isinstance(name, str):
        raise TypeError(f"{where}: {func!r} is not a function")
    if name == "<lambda>":
        raise TypeError(f"{where}: a lambda has no name to find it by; write it as a def")
    _check_length(name, where)
    if inspect.isgeneratorfunction(func) or inspect.isasyncgenfunction(func):
        raise TypeError(
            f"{where}: {name!r} is a generator, but a task returns one value; return a list, "
            "or make it a @trace that a task iterates over"
        )


def check_reuse(policy: ReusePolicy | None, name: str, *, is_async: bool) -> None:
    """Check that a task can run under a reuse policy.

    Raises:
        ReusePolicyError: several actions at once need an async task.
    """
    if policy is not None and policy.concurrency > 1 and not is_async:
        raise ReusePolicyError(
            f"concurrency={policy.concurrency} needs an async task, but {name!r} is sync; "
            "make it async or set concurrency=1."
        )
