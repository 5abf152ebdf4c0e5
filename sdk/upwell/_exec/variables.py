"""Environment variables of attempts, where several share a process, one after the other or at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class ProcessVariables:
    """Sets variables for the time of an attempt, and puts back what was there.

    A process has one environment: while attempts at the same time want different values of a variable, all of
    them see the value of the one that came last. When it ends, the others see theirs again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, list[tuple[object, str]]] = {}
        self._original: dict[str, str | None] = {}

    @contextmanager
    def applied(self, variables: Mapping[str, str]) -> Iterator[None]:
        """Have variables set for the block."""
        holder = object()
        with self._lock:
            for name, value in variables.items():
                self._hold(holder, name, value)
        try:
            yield
        finally:
            with self._lock:
                for name in variables:
                    self._release(holder, name)

    def _hold(self, holder: object, name: str, value: str) -> None:
        held = self._values.setdefault(name, [])
        if not held:
            self._original[name] = os.environ.get(name)
        held.append((holder, value))
        os.environ[name] = value

    def _release(self, holder: object, name: str) -> None:
        held = [entry for entry in self._values.pop(name) if entry[0] is not holder]
        if held:
            self._values[name] = held
            os.environ[name] = held[-1][1]
            return
        original = self._original.pop(name)
        if original is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = original


process_variables = ProcessVariables()
"""The environment of this process: there is only one, whatever number of engines run in it."""
