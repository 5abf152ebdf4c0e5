"""What a map calls for each item: a task, or a partial of one that leaves a single parameter."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from upwell._author.task import Task


@dataclass(frozen=True, slots=True)
class MapTarget:
    """A task and the arguments that are the same for every item."""

    task: Task[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, func: Callable[..., Any], iterables: int) -> MapTarget:
        """Return what a map over so many iterables calls.

        Raises:
            TypeError: it is neither a task nor a partial of one, or the partial does not leave exactly one
                parameter.
        """
        if isinstance(func, Task):
            return cls(func)
        if not isinstance(func, partial) or not isinstance(func.func, Task):
            raise TypeError(f"map: {func!r} is not a task; give a task, or functools.partial of one")
        _check_partial(func.func, func, iterables)
        return cls(func.func, func.args, func.keywords)

    def child(self, items: tuple[Any, ...]) -> Coroutine[Any, Any, Any]:
        """Return the call for one tuple of items, as a coroutine."""
        return self.task.aio(*self.args, *items, **self.kwargs)

    def plain(self, items: tuple[Any, ...]) -> Any:
        """Call the function for one tuple of items; outside a run."""
        return self.task(*self.args, *items, **self.kwargs)


_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _check_partial(task: Task[..., Any], func: partial[Any], iterables: int) -> None:
    every = inspect.signature(task.func).parameters
    parameters = [name for name, parameter in every.items() if parameter.kind not in _VARIADIC]
    left = len(parameters) - len(func.args) - len(func.keywords)
    if left != 1 or iterables != 1:
        raise TypeError(
            f"Partial function must leave exactly one parameter unspecified, and be mapped over one iterable. "
            f"{task.name} has {len(parameters)} params: {parameters}, partial function provides "
            f"{len(func.args)} args and {len(func.keywords)} kwargs, leaving {left} unspecified "
            f"for {iterables} iterables."
        )
    for name in parameters[: len(func.args) + 1]:
        if name in func.keywords:
            raise TypeError(
                f"Parameter '{name}' is provided both as positional argument and keyword argument "
                f"in partial function {task.name}."
            )
