"""Keeps what travels with an action within what a message, an item and an execution can hold.

Everything here is measured as JSON, which is what it becomes: a quotation mark takes two bytes and a control
character six.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from upwell._core.limits import ERROR_TEXT_BYTES, GROUP_BYTES, TRAVELLING_BYTES
from upwell.errors import UsageError

CUT_START, CUT_END = "[...]\n", " [...]"
"""Where a text was cut."""


def json_bytes(value: object) -> int:
    """Return the size of a value as JSON, in bytes."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))


def check_travelling(what: str, values: Mapping[str, str]) -> None:
    """Refuse strings that are too large to travel with every action of a run.

    Args:
        what: What they are: `custom_context`, `env_vars`, `labels`.
        values: By name.

    Raises:
        UsageError: they are above 8 KiB as JSON.
    """
    size_bytes = json_bytes(dict(values))
    if size_bytes <= TRAVELLING_BYTES:
        return
    largest = max(values, key=lambda name: json_bytes(values[name]))
    raise UsageError(
        f"{what} are {size_bytes:,} bytes, and at most {TRAVELLING_BYTES:,} can travel with every action; the "
        f"largest is {largest[:50]!r}; pass it as an input, or as a File"
    )


def check_group(name: str) -> None:
    """Refuse the name of a group that is too long.

    Raises:
        UsageError: it is above 512 bytes.
    """
    size_bytes = json_bytes(name) - len('""')
    if size_bytes > GROUP_BYTES:
        raise UsageError(
            f"the name of group {name[:50]!r}... is {size_bytes:,} bytes; it may have {GROUP_BYTES}"
        )


def cut(text: str, limit_bytes: int = ERROR_TEXT_BYTES, *, keep_end: bool = False) -> str:
    """Return a text that is at most so large within JSON; where something is missing, it says so.

    Args:
        text: Any.
        limit_bytes: Its size, without the quotation marks.
        keep_end: Cut its start, not its end: of a traceback, the end says most.
    """
    text = text.encode(errors="replace").decode()  # half of a surrogate pair cannot be sent
    if _escaped_bytes(text) <= limit_bytes:
        return text
    keep = limit_bytes - _escaped_bytes(CUT_START)
    low, high = 0, min(len(text), keep)
    while low < high:  # the longest that fits: escapes differ in size
        middle = (low + high + 1) // 2
        fits = _escaped_bytes(text[len(text) - middle :] if keep_end else text[:middle]) <= keep
        low, high = (middle, high) if fits else (low, middle - 1)
    return CUT_START + text[len(text) - low :] if keep_end else text[:low] + CUT_END


def _escaped_bytes(text: str) -> int:
    return json_bytes(text) - len('""')


def too_large(task: str, what: str, size_bytes: int, limit_bytes: int) -> str:
    """Return the message of inputs or outputs above `max_inline_io`."""
    environment = task.partition(".")[0]
    return (
        f"the {what} of {task} are {size_bytes:,} bytes, above max_inline_io of {limit_bytes:,}; pass large "
        f"data by reference (upwell.io.File, Directory), or raise max_inline_io of environment {environment!r}"
    )
