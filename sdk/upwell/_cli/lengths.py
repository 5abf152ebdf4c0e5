"""Lengths of time as people write them."""

from __future__ import annotations

import re

from upwell.errors import UsageError

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")


def is_length(text: str) -> bool:
    """Whether a text is a length of time: `90`, `90s`, `5m`, `2h`, `1d`."""
    return _LENGTH.fullmatch(text) is not None


def read_seconds(text: str, *, option: str) -> float:
    """Return a length of time in seconds.

    Raises:
        UsageError: it is none.
    """
    match = _LENGTH.fullmatch(text)
    if not match:
        raise UsageError(f"{option}: expects a length of time, got {text!r}; write 90s, 5m or 2h")
    return float(match[1]) * SECONDS[match[2] or "s"]


def timeout_seconds(text: str | None) -> float | None:
    """Return what `--timeout` says in seconds; None where it is not given.

    Raises:
        UsageError: it is not a length of time.
    """
    return None if text is None else read_seconds(text, option="--timeout")
