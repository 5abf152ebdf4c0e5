"""Warnings and logs as lines on stderr."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from upwell._cli.session import Session
from upwell._cli.terminal import err, one_line, plain


@contextmanager
def show_messages(session: Session) -> Iterator[None]:
    """Show warnings and upwell's logs as single lines while the block runs.

    The root logger is left to the user's program.
    """
    handler = _Lines(session)
    logger = logging.getLogger("upwell")
    propagates = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.propagate = propagates


class _Lines(logging.Handler):
    """Writes warnings and errors; with --debug everything, with tracebacks."""

    STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        if record.levelno < logging.WARNING and not self._session.debug:
            return
        fields = " ".join(f"{k}={v}" for k, v in record.__dict__.items() if k not in self.STANDARD)
        cause = ""
        if record.exc_info and record.exc_info[1] is not None and not self._session.debug:
            cause = f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
        text = one_line(f"{record.levelname.lower()}: {record.getMessage()}{cause} {fields}")
        print(text, file=sys.stderr)
        if record.exc_info and self._session.debug:
            print(logging.Formatter().formatException(record.exc_info), file=sys.stderr)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    err().print(plain("warning: ", "yellow") + plain(one_line(str(message))))
