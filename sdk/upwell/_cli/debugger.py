"""Python's debugger around the function of a task: at its first line, or where it failed."""

from __future__ import annotations

import asyncio
import bdb
import concurrent.futures
import functools
import pdb
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from upwell._author.registry import resolve
from upwell._author.task import Task
from upwell._core.model import ActionSpec

_OURS = tuple(str(Path(str(module.__file__)).parent) + "/" for module in (asyncio, concurrent.futures))
_UPWELL = str(Path(__file__).parents[1]) + "/"
_SKIPPED = [
    "upwell",
    "upwell.*",
    "asyncio.*",
    "concurrent.*",
    "contextlib",
    "contextvars",
    "threading",
    "functools",
]
"""Modules whose lines nobody wants to step through."""


class Observer:
    """Loads tasks whose functions are observed: implements `_exec.user_code.Loader`.

    Args:
        stops: Whether the debugger stops at the first line of the function.
    """

    def __init__(self, *, stops: bool) -> None:
        self._stops = stops
        self.error: BaseException | None = None
        """What the function raised first, if anything: of a batch, an item's."""

    async def load(self, spec: ActionSpec) -> Task[..., Any]:
        """Return the task with an observed function."""
        task = resolve(spec.task.module, spec.task.name)
        watched = self._async(task) if task.is_async else self._sync(task)
        return Task(watched, task.env, task.options, is_async=task.is_async)

    def _async(self, task: Task[..., Any]) -> Any:
        @functools.wraps(task.func)
        async def watched(*args: Any, **kwargs: Any) -> Any:
            with self._watching():
                return await task.func(*args, **kwargs)

        return watched

    def _sync(self, task: Task[..., Any]) -> Any:
        @functools.wraps(task.func)
        def watched(*args: Any, **kwargs: Any) -> Any:
            with self._watching():
                return task.func(*args, **kwargs)

        return watched

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Note what the block raises; the debugger stops at its first line, if it is to."""
        if self._stops:
            debugger = pdb.Pdb(skip=_SKIPPED, nosigint=True)
            debugger.reset()
            sys.settrace(debugger.trace_dispatch)
        try:
            yield
        except BaseException as e:
            self._note(e)
            raise
        finally:
            if self._stops:
                sys.settrace(None)

    def _note(self, error: BaseException) -> None:
        self.error = self.error or error

    @property
    def was_left(self) -> bool:
        """Whether the person has quit the debugger."""
        return isinstance(self.error, bdb.BdbQuit)


def look_into(error: BaseException) -> None:
    """Open the debugger where an exception was raised, in the user's code if it is in it."""
    pdb.post_mortem(user_traceback(error.__traceback__))


def user_traceback(tb: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of upwell and asyncio; all of it if there are no others."""
    places: list[tuple[FrameType, int, int]] = []
    current = tb
    while current is not None:
        if not current.tb_frame.f_code.co_filename.startswith((*_OURS, _UPWELL)):
            places.append((current.tb_frame, current.tb_lasti, current.tb_lineno))
        current = current.tb_next
    kept: TracebackType | None = None
    for frame, lasti, line in reversed(places):
        kept = TracebackType(kept, frame, lasti, line)
    return kept or tb
