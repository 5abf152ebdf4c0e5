"""Tells whether a task waits for nothing but its children, so that it can be suspended.

It looks at every asyncio task that the attempt has made: each must wait for a child, or for another of these
tasks, be it through a gather, a lock, a queue or a group. One that sleeps, does I/O of its own or computes
keeps the attempt where it is.
"""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from contextvars import Context
from pathlib import Path
from types import CodeType
from typing import Any

from upwell._author.context import NO_CONTEXT, current

_WAITS: dict[str, frozenset[str] | None] = {
    "asyncio/tasks.py": frozenset({"wait", "_wait", "wait_for", "_wait_for_one"}),
    "asyncio/locks.py": None,
    "asyncio/queues.py": None,
    "asyncio/taskgroups.py": None,
    "_author/window.py": None,
}
"""Functions of asyncio and of `map` (None: all of a module) that wait for other tasks of the same loop."""

ROOM_MIN = 64
"""So many tasks are noted before those that are over are looked for."""

_WRAPPERS = frozenset({"coroutine_wrapper", "async_generator_asend", "async_generator_athrow"})
"""What `__await__` of a coroutine, and a step of an asynchronous generator, give."""


class Tasks:
    """The asyncio tasks of one attempt."""

    def __init__(self) -> None:
        self._all: list[weakref.ref[asyncio.Task[Any]]] = []
        self._room = ROOM_MIN
        self.awaiting: set[asyncio.Task[Any]] = set()
        """Those that wait for a child right now."""

    def add(self, task: asyncio.Task[Any]) -> None:
        """Note a task of the attempt."""
        self._all.append(weakref.ref(task))
        if len(self._all) > self._room:
            self._all = [weakref.ref(task) for task in self._live()]
            self._room = max(ROOM_MIN, 2 * len(self._all))

    def wait_for_children_only(self) -> bool:
        """Whether every live task waits for a child, or for another one that does."""
        live = self._live()
        return bool(self.awaiting) and all(task in self.awaiting or _waits_for(task, live) for task in live)

    def _live(self) -> set[asyncio.Task[Any]]:
        return {task for ref in self._all if (task := ref()) is not None and not task.done()}


def watch_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Have the loop tell each attempt of the tasks that are made in its context."""
    if loop.get_task_factory() is None:
        make: Callable[..., Any] = _make_task
        loop.set_task_factory(make)


def _make_task(loop: asyncio.AbstractEventLoop, work: Any, context: Context | None = None) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
    seen = current.get() if context is None else context.get(current, NO_CONTEXT)
    tasks = getattr(seen.engine, "tasks", None)
    if isinstance(tasks, Tasks):
        tasks.add(task)
    return task


def _waits_for(task: asyncio.Task[Any], live: set[asyncio.Task[Any]]) -> bool:
    waiter = getattr(task, "_fut_waiter", None)
    if waiter is None:
        return False  # about to run
    if isinstance(waiter, asyncio.Task):
        return waiter in live
    gathered = getattr(waiter, "_children", None)
    if gathered is not None:
        return all(child.done() or child in live for child in gathered)
    return _is_wait(_innermost(task.get_coro()))


def _innermost(work: Any) -> CodeType | None:
    """Return the code in which a coroutine is suspended, following what it awaits."""
    code: CodeType | None = None
    while work is not None:
        code = _first(work, "cr_code", "ag_code", "gi_code") or code
        work = _first(work, "cr_await", "ag_await", "gi_yieldfrom") or _wrapped(work)
    return code


def _first(work: Any, *names: str) -> Any:
    return next((found for name in names if (found := getattr(work, name, None)) is not None), None)


def _wrapped(work: Any) -> Any:
    """Return the coroutine or generator in an iterator that hides it from all but the garbage collector."""
    if type(work).__name__ not in _WRAPPERS:
        return None
    return next((found for found in gc.get_referents(work) if _first(found, "cr_code", "ag_code")), None)


def _is_wait(code: CodeType | None) -> bool:
    if code is None:
        return False
    file = "/".join(Path(code.co_filename).parts[-2:])
    if file not in _WAITS:
        return False
    functions = _WAITS[file]
    return functions is None or code.co_name in functions


def has_timers(loop: asyncio.AbstractEventLoop, engine: object) -> bool:
    """Whether code of an attempt has set a timer: a sleep, or a time limit on something."""
    for handle in getattr(loop, "_scheduled", ()):
        context: Context | None = getattr(handle, "_context", None)
        if context is None or handle.cancelled():
            continue
        if context.get(current, NO_CONTEXT).engine is engine:
            return True
    return False
