"""Where a page ended: opaque to who asks for the next one."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from upwell.errors import UpwellError


class CursorError(UpwellError):
    """A cursor is none that was given out for this list."""

    def __init__(self, cursor: str) -> None:
        super().__init__(f"cursor {cursor[:40]!r} was not given out for this list; leave it out to begin anew")


def dump_cursor(*position: Any) -> str:
    """Return a cursor for a position: numbers and texts."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def load_cursor(cursor: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """Return the position of a cursor.

    Args:
        cursor: As it was given out.
        kinds: Of the parts that a position in this list has; `float` takes any finite number.

    Raises:
        CursorError: it is no such cursor.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True), parse_constant=_refuse)
    except (UnicodeError, binascii.Error, ValueError) as e:
        raise CursorError(cursor) from e
    if not isinstance(position, list) or len(position) != len(kinds):
        raise CursorError(cursor)
    if not all(_is(part, kind) for part, kind in zip(position, kinds, strict=True)):
        raise CursorError(cursor)
    return tuple(position)


def _is(part: Any, kind: type) -> bool:
    return isinstance(part, (float, int) if kind is float else kind) and not isinstance(part, bool)


def _refuse(constant: str) -> float:
    raise ValueError(constant)
