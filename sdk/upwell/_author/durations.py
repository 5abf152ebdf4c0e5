"""Durations as people write them: a timedelta, or a number of seconds."""

from __future__ import annotations

from datetime import timedelta

Duration = timedelta | int | float


def to_seconds(value: Duration, what: str) -> float:
    """Return a duration in seconds.

    Args:
        value: A timedelta, or a number of seconds.
        what: Name of the setting, for the error.

    Raises:
        TypeError: it is neither.
        ValueError: it is negative.

    Example:
        >>> to_seconds(timedelta(minutes=2), "idle_ttl")
        120.0
    """
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    else:
        raise TypeError(f"{what}={value!r} is not a duration; give a timedelta or a number of seconds")
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{what}={value!r} is not a length of time; give 0 or more seconds")
    return seconds
