"""The lines of one attempt, as they are written."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from threading import get_ident

from upwell._author.context import current
from upwell._core.limits import LOG_LINE_CHARS
from upwell._core.log_lines import LOGGING, Allowance, LogLine, Redactor, cut_line, left_out
from upwell._exec.boundary import Start

LineSink = Callable[[str], None]
"""Takes a line of JSON, without its end, and brings it to where lines are kept. It must not print."""


def print_line(line: str) -> None:
    """Write a line to the standard output, which CloudWatch Logs gets: of Lambda, of ECS.

    Where it cannot be written it is lost, and nothing else: no attempt fails with its log.
    """
    with suppress(OSError, ValueError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


class AttemptLog:
    """Makes lines of what an attempt writes. Any thread may write, and so may forks of the process: no locks.

    Args:
        action_id: The action; empty where it is not known which of several has written.
        run_id: Its run.
        attempt: Its attempt.
        sink: Takes the lines.
        now: The time, epoch seconds.
        secrets: Values that no line may have.
        echo: Whether what is written also goes where it would have gone.
    """

    def __init__(
        self,
        action_id: str,
        *,
        run_id: str,
        attempt: int,
        sink: LineSink,
        now: Callable[[], float],
        secrets: Redactor,
        echo: bool = False,
    ) -> None:
        self._run_id = run_id
        self._action_id = action_id
        self._attempt = attempt
        self._sink = sink
        self._now = now
        self._secrets = secrets
        self.echo = echo
        self._allowance = Allowance(now())
        self._begun: dict[tuple[str, int], str] = {}

    def write(self, stream: str, text: str) -> None:
        """Take what is written to a stream; a line is done when it ends."""
        key = (stream, get_ident())
        if "\n" not in text:
            self._begin(key, self._begun.pop(key, "") + text)
            return
        if self._allowance.refuses(text.count("\n"), self._now()):
            self._begun.pop(key, None)
            self._begin(key, text.rpartition("\n")[2])
            return
        first, *lines = text.split("\n")
        self._line(stream, self._begun.pop(key, "") + first)
        for line in lines[:-1]:
            self._line(stream, line)
        self._begin(key, lines[-1])

    def _begin(self, key: tuple[str, int], text: str) -> None:
        """Keep the beginning of a line; so much of it as can be shown, and no part of a secret."""
        if text:
            shown = text[text.rfind("\r", 0, -1) + 1 :]  # a bar that progresses; its last one may end in \r\n
            most = LOG_LINE_CHARS + self._secrets.longest + 1
            self._begun[key] = shown if len(shown) <= most else self._secrets(shown)[:most]

    def _line(self, stream: str, text: str) -> None:
        text = text.rstrip("\r")
        self._emit(stream, text.rpartition("\r")[2])  # what a terminal would show of a bar that progresses

    def record(self, record: logging.LogRecord) -> None:
        """Take a message of a logger."""
        try:
            text = record.getMessage()
        except Exception:  # its arguments do not fit; the handlers say so to the author
            text = str(record.msg)
        if record.exc_info and record.exc_info[0] is not None:
            text = f"{text}\n{''.join(traceback.format_exception(*record.exc_info)).rstrip()}"
        self._emit(LOGGING, text, level=record.levelname, logger=record.name)

    def close(self) -> None:
        """Write lines that were begun, and what was left out last."""
        for stream, thread in list(self._begun):
            self._line(stream, self._begun.pop((stream, thread), ""))
        self._tell_dropped(self._now())

    def _emit(self, stream: str, text: str, *, level: str = "", logger: str = "") -> None:
        now = self._now()
        if not self._allowance.take(min(len(text), LOG_LINE_CHARS), now):
            return
        self._tell_dropped(now)
        self._send(now, stream, text, level, logger)

    def _tell_dropped(self, now: float) -> None:
        dropped = self._allowance.dropped()
        if dropped:
            self._send(now, LOGGING, left_out(dropped), "WARNING", "upwell")

    def _send(self, now: float, stream: str, text: str, level: str, logger: str) -> None:
        text = cut_line(self._secrets(text))
        if not text.isascii():
            text = text.encode("utf-8", "replace").decode()  # halves of surrogate pairs cannot be written
        line = LogLine(
            at=now,
            run_id=self._run_id,
            action_id=self._action_id,
            attempt=self._attempt,
            text=text,
            stream=stream,
            level=level,
            logger=logger,
            item=self._item(),
        )
        self._sink(line.dump())

    def _item(self) -> str:
        action = current.get().task_action
        is_item = action is not None and self._action_id not in ("", action.name)
        return action.name if action is not None and is_item else ""


def log_of(
    start: Start,
    sink: LineSink,
    now: Callable[[], float],
    *,
    secrets: Redactor | None = None,
    echo: bool = False,
) -> AttemptLog:
    """Return the log of an attempt.

    Args:
        start: The attempt.
        sink: Takes its lines.
        now: The time, epoch seconds.
        secrets: What no line may have; by default, the attempt's own.
        echo: See `AttemptLog`.
    """
    return AttemptLog(
        start.spec.action_id,
        run_id=start.spec.run.run_id,
        attempt=start.attempt,
        sink=sink,
        now=now,
        secrets=Redactor(secret_values(start)) if secrets is None else secrets,
        echo=echo,
    )


def secret_values(start: Start) -> list[str]:
    """Return the values of an attempt's secrets, those that the process had anyway included."""
    names = (secret.env_var for secret in start.spec.task.secrets)
    return [value for name in names if (value := start.secrets.get(name) or os.environ.get(name))]
