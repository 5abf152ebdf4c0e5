"""Warnings and upwell's own log messages as single lines on stderr."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from upwell._cli.session import Session
from upwell._cli.terminal import err, one_line, plain

USER_LOGGER = "upwell.user"


@contextmanager
def show_messages(session: Session) -> Iterator[None]:
    """Show warnings as lines, and upwell's logs without tracebacks (unless `--debug` is given), in a block."""
    from upwell._author.logs import system_logger

    filters = [(handler, _NoTraceback(session)) for handler in system_logger.handlers]
    for handler, added in filters:
        handler.addFilter(added)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            yield
        finally:
            for handler, added in filters:
                handler.removeFilter(added)


class _NoTraceback(logging.Filter):
    """Says what an exception was in place of its traceback. What users log is left alone."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name != USER_LOGGER and record.exc_info and not self._session.debug:
            error = record.exc_info[1]
            cause = f" ({type(error).__name__}: {error})" if error is not None else ""
            record.msg, record.args = one_line(record.getMessage() + cause), None
            record.exc_info = record.exc_text = None
        return True


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    err().print(plain("warning: ", "yellow") + plain(one_line(str(message))))
