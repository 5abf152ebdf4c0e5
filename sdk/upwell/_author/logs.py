"""Loggers: `logger` for the users' own messages, `system_logger` for upwell's."""

from __future__ import annotations

import json
import logging
import sys
from typing import Literal

LogFormat = Literal["console", "json"]
Level = int | str

system_logger = logging.getLogger("upwell")
"""What upwell itself has to say; warnings and worse by default."""
logger = logging.getLogger("upwell.user")
"""For use in tasks; info and worse by default."""


class _JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields)


class _Handler(logging.Handler):
    """Writes to the standard error of the moment, unless the program has handlers of its own at the root."""

    def emit(self, record: logging.LogRecord) -> None:
        if logging.getLogger().handlers:
            return
        try:
            sys.stderr.write(f"{self.format(record)}\n")
        except Exception:
            self.handleError(record)


_FORMATTERS: dict[str, logging.Formatter] = {
    "console": logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S"),
    "json": _JsonFormatter(),
}
program_handler = _Handler()
"""Shows what upwell has to say to who runs a program. Components of a deployment have another one."""


def configure_logging(
    *,
    log_level: Level | None = None,
    user_log_level: Level | None = None,
    log_format: LogFormat | None = None,
) -> None:
    """Set the levels of the loggers, and how their messages look where the program has no handlers of its own.

    Args:
        log_level: Of `system_logger`; None keeps it.
        user_log_level: Of `logger`; None keeps it.
        log_format: `console` or `json`; None keeps it.

    Raises:
        ValueError: the level or the format is unknown.
    """
    if log_format is not None and log_format not in _FORMATTERS:
        raise ValueError(f"log_format={log_format!r} is unknown; use 'console' or 'json'")
    for target, level in ((system_logger, log_level), (logger, user_log_level)):
        if level is not None:
            target.setLevel(level.upper() if isinstance(level, str) else level)
    if log_format is not None:
        program_handler.setFormatter(_FORMATTERS[log_format])


system_logger.addHandler(program_handler)
configure_logging(log_level=logging.WARNING, user_log_level=logging.INFO, log_format="console")
