"""Lines that tasks print and log: what they say and never say, how they are written, how many are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from upwell._core.limits import (
    LOG_BURST_BYTES,
    LOG_BURST_LINES,
    LOG_BYTES_PER_S,
    LOG_LINE_CHARS,
    LOG_LINES_PER_S,
)

STDOUT, STDERR, LOGGING = "stdout", "stderr", "logging"
HIDDEN = "***"
"""What stands in a line for the value of a secret."""
SECRET_CHARS_MIN = 4
"""Parts of a secret that are shorter are no secrets; the whole of it always is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """What an attempt has written.

    Attributes:
        at: When, epoch seconds.
        run_id: The run.
        action_id: The action; empty where several shared a process and it could be any of them.
        attempt: Its attempt; 0 likewise.
        text: The line, without its end; a message of a logger may have several.
        stream: `stdout`, `stderr` or `logging`.
        level: Of a message of a logger, `WARNING` for instance; else empty.
        logger: Its name.
        item: The item of a batch that wrote it; empty in an ordinary action.
        place: Where it was found: no other line is there.
    """

    at: float
    run_id: str
    action_id: str
    attempt: int
    text: str
    stream: str = STDOUT
    level: str = ""
    logger: str = ""
    item: str = ""
    place: str = ""

    def dump(self) -> str:
        """Return it as one line of JSON, in which `source` is what a reader looks for."""
        fields: dict[str, Any] = {
            "time": round(self.at, 6),
            "level": self.level,
            "message": self.text,
            "source": source_of(self.run_id, self.action_id),
            "run_id": self.run_id,
            "action_id": self.action_id,
            "attempt": self.attempt,
            "item": self.item,
            "stream": self.stream,
            "logger": self.logger,
        }
        return json.dumps(
            {k: v for k, v in fields.items() if v != ""}, ensure_ascii=False, separators=(",", ":")
        )

    @classmethod
    def load(cls, text: str | bytes, place: str = "") -> LogLine | None:
        """Return what a line of JSON says; None if it is none of ours."""
        try:
            fields = json.loads(text)
            if not isinstance(fields, dict) or "source" not in fields:
                return None
            return cls(
                at=float(fields["time"]),
                run_id=fields["run_id"],
                action_id=fields.get("action_id", ""),
                attempt=int(fields["attempt"]),
                text=fields.get("message", ""),
                stream=fields["stream"],
                level=fields.get("level", ""),
                logger=fields.get("logger", ""),
                item=fields.get("item", ""),
                place=place,
            )
        except (ValueError, KeyError, TypeError):
            return None


def source_of(run_id: str, action_id: str = "") -> str:
    """Return what lines of an action have as `source`; of a run, what theirs begin with."""
    return f"{run_id}/{action_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which lines of a run.

    Attributes:
        run_id: The run.
        action_id: Only those of this action, or of this item of a batch; None takes all.
        is_action: Whether that is known to be an action.
        attempt: Only those of this attempt.
        text: Only those that have this in them, whatever its case.
        pools: Pools whose executors may have written them.
        executors: Kinds and ids of the executors that did; empty if any may have.
        since: Not written earlier, epoch seconds.
        until: Not written later; None while they may go on.
    """

    run_id: str
    action_id: str | None = None
    is_action: bool = False
    attempt: int | None = None
    text: str = ""
    pools: tuple[str, ...] = ()
    executors: tuple[tuple[str, str], ...] = ()
    since: float = 0.0
    until: float | None = None

    def has(self, line: LogLine) -> bool:
        """Whether a line is one of them; its time is left to the reader."""
        return (
            line.run_id == self.run_id
            and self.action_id in (None, line.action_id, line.item or None)
            and self.attempt in (None, line.attempt)
            and self.text.casefold() in line.text.casefold()
        )

    @property
    def term(self) -> str:
        """What every line of the query has in it as it is written."""
        if self.action_id is None or self.is_action:
            return source_of(self.run_id, self.action_id or "")
        return self.action_id


class LogCursorError(ValueError):
    """A cursor is of something else than the lines that are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """A part of the lines of a query, in the order of time.

    Attributes:
        lines: The lines.
        cursor: Where to go on.
        is_last: Whether there is nothing more for now; asked again later, what was there may be repeated.
    """

    lines: list[LogLine] = field(default_factory=list)
    cursor: str
    is_last: bool


class Redactor:
    """Takes the values of secrets out of lines.

    Args:
        values: The values. A value of several lines is hidden line by line, and of one that is JSON its texts.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._hidden: list[str] = []
        self.add(values)

    def add(self, values: Iterable[str]) -> None:
        """Hide further values from now on."""
        found = {part for value in values for part in _parts(value)}.union(self._hidden)
        self._hidden = sorted(found, key=len, reverse=True)  # the longer first: one may be a part of another

    @property
    def longest(self) -> int:
        """Characters of the longest of them."""
        return len(self._hidden[0]) if self._hidden else 0

    def __call__(self, text: str) -> str:
        """Return a text without them."""
        for value in self._hidden:
            if value in text:
                text = text.replace(value, HIDDEN)
        return text

    def begun(self, text: str) -> int:
        """Return how many characters at the end of a text may be the beginning of one of them."""
        tail = text[-self.longest :] if self._hidden else ""
        for n in range(len(tail), 0, -1):
            end = tail[-n:]
            if any(len(value) > n and value.startswith(end) for value in self._hidden):
                return n
        return 0

    def over(self, text: str, place: int) -> int | None:
        """Return where the first of them begins that goes on over a place of a text; None without one."""
        found = [
            begin
            for value in self._hidden
            if (begin := text.find(value, max(0, place - len(value) + 1), place + len(value) - 1)) >= 0
        ]
        return min(found, default=None)


class PieceRedactor:
    """Takes the values of secrets out of a stream that comes in pieces, wherever it was cut.

    Args:
        secrets: Knows the values.
    """

    def __init__(self, secrets: Redactor) -> None:
        self._secrets = secrets
        self._held = ""

    def __call__(self, piece: str) -> str:
        """Return what came so far and was not returned yet, but for what may be the beginning of a secret."""
        text = self._held + piece
        end = len(text) - self._secrets.begun(text)
        while (begin := self._secrets.over(text, end)) is not None:
            end = begin
        self._held = text[end:]
        return self._secrets(text[:end])

    def close(self) -> str:
        """Return what was kept back, but for what gives away much of a secret."""
        held, self._held = self._secrets(self._held), ""
        begun = self._secrets.begun(held)
        return held if begun < SECRET_CHARS_MIN else held[:-begun] + HIDDEN


def _parts(value: str) -> Iterable[str]:
    """Return the forms in which a secret may be in a line."""
    whole = value.strip()
    if not whole:
        return
    yield whole
    parts = [line.strip() for line in whole.splitlines()]
    if whole[0] in "{[":
        with suppress(ValueError):
            parts += _texts(json.loads(whole))
    for part in parts:
        if len(part) >= SECRET_CHARS_MIN:
            yield part
            yield json.dumps(part, ensure_ascii=False)[1:-1]
            yield repr(part)[1:-1]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]


def cut_line(text: str) -> str:
    """Return a line of at most `LOG_LINE_CHARS`, which says so if it was longer."""
    if len(text) <= LOG_LINE_CHARS:
        return text
    return f"{text[:LOG_LINE_CHARS]}... (cut: a line may have {LOG_LINE_CHARS:,} characters)"


class Allowance:
    """How much of what an attempt writes is kept: so many lines and bytes at once, and so many by time.

    Two buckets that fill up as time passes: somebody who prints a lot and then computes loses nothing. They
    need no lock; of two threads that take at the same time, one may take for nothing.
    """

    def __init__(self, now: float) -> None:
        self._lines = float(LOG_BURST_LINES)
        self._bytes = float(LOG_BURST_BYTES)
        self._filled_at = now
        self._dropped = 0

    def refuses(self, lines: int, now: float) -> bool:
        """Whether none of so many lines may be written; they are counted then, without a look at them."""
        self._fill(now)
        if self._lines >= 1:
            return False
        self._dropped += lines
        return True

    def _fill(self, now: float) -> None:
        passed_s = max(0.0, now - self._filled_at)
        self._filled_at = now
        self._lines = min(LOG_BURST_LINES, self._lines + passed_s * LOG_LINES_PER_S)
        self._bytes = min(LOG_BURST_BYTES, self._bytes + passed_s * LOG_BYTES_PER_S)

    def take(self, size_bytes: int, now: float) -> bool:
        """Whether a line may be written."""
        self._fill(now)
        if self._lines < 1 or self._bytes < size_bytes:
            self._dropped += 1
            return False
        self._lines -= 1
        self._bytes -= size_bytes
        return True

    def dropped(self) -> int:
        """Return how many lines were refused since this was last asked."""
        dropped, self._dropped = self._dropped, 0
        return dropped


def left_out(lines: int) -> str:
    """Return what stands in the place of lines that were refused."""
    most = (
        f"{LOG_BURST_LINES:,} at once, then {LOG_LINES_PER_S} lines or {LOG_BYTES_PER_S // 1024} KiB a second"
    )
    return f"... {lines:,} lines are left out here: an attempt may write {most}"
