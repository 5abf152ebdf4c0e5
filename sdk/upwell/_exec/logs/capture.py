"""Catches what tasks print and log in this process; what anybody else prints goes where it always did.

Which attempt writes is told by a context variable, so that attempts at the same time do not mix: each runs in
an asyncio task of its own, or in a thread that was given its context.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

from upwell._author.logs import logger as user_logger
from upwell._author.logs import system_logger
from upwell._core.log_lines import STDERR, STDOUT
from upwell._exec.logs.attempt_log import AttemptLog

_current: ContextVar[AttemptLog | None] = ContextVar("upwell_log", default=None)
_taken: ContextVar[bool] = ContextVar("upwell_log_taken", default=False)
"""Whether what is written now was taken already, on its way to a handler or to the terminal."""


class _Stream:
    """Stands in for a standard stream, with whose methods and attributes it has all but one in common."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self.name_of_stream = name
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text to the log of the attempt that writes, if one does."""
        log = _current.get()
        if log is None:
            return self.stream.write(text)
        if _taken.get():
            return self.stream.write(text) if log.echo else len(text)
        log.write(self.name_of_stream, text)
        if not log.echo:
            return len(text)
        token = _taken.set(True)
        try:
            return self.stream.write(text)
        finally:
            _taken.reset(token)

    def writelines(self, lines: Any) -> None:
        """Write texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _Capture:
    """Puts itself in the place of the streams, and before the handlers of loggers, while attempts run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._attempts = 0
        self._call_handlers: Any = None
        self._ours: Any = None

    def begin(self) -> None:
        with self._lock:
            self._attempts += 1
            if self._attempts > 1:
                return
            for name in (STDOUT, STDERR):
                stream = getattr(sys, name)
                if stream is not None and not isinstance(stream, _Stream):
                    setattr(sys, name, _Stream(name, stream))
            self._call_handlers = logging.Logger.callHandlers
            self._ours = _before(self._call_handlers)
            self._patch(self._ours)

    def end(self) -> None:
        with self._lock:
            self._attempts -= 1
            if self._attempts:
                return
            for name in (STDOUT, STDERR):
                stream = getattr(sys, name)
                if isinstance(stream, _Stream):
                    setattr(sys, name, stream.stream)
            if logging.Logger.callHandlers is self._ours:  # else somebody has put something before it
                self._patch(self._call_handlers)

    @staticmethod
    def _patch(call_handlers: Any) -> None:
        setattr(logging.Logger, "callHandlers", call_handlers)  # noqa: B010  # for mypy, no method is assigned to


_capture = _Capture()


def _before(call_handlers: Any) -> Any:
    def call(logger: logging.Logger, record: logging.LogRecord) -> None:
        log = _current.get()
        if log is None or _taken.get():
            call_handlers(logger, record)
            return
        if not _is_ours(record.name):
            log.record(record)
        token = _taken.set(True)
        try:
            call_handlers(logger, record)
        finally:
            _taken.reset(token)

    return call


def _is_ours(name: str) -> bool:
    """Whether a logger is the engine's, whose messages are no task's."""
    system, users = system_logger.name, user_logger.name
    return name == system or (name.startswith(f"{system}.") and not f"{name}.".startswith(f"{users}."))


def is_outside(record: logging.LogRecord) -> bool:
    """Whether a message is nobody's that is caught: a filter for handlers of what remains."""
    return _current.get() is None or _is_ours(record.name)


@contextmanager
def captured(log: AttemptLog | None) -> Iterator[None]:
    """Have what the block's context writes, and what comes of it, go to a log; None leaves all as it is."""
    if log is None:
        yield
        return
    _capture.begin()
    token = _current.set(log)
    try:
        yield
    finally:
        _current.reset(token)
        _capture.end()
        log.close()
