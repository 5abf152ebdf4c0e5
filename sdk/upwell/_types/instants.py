"""Times of day and instants whose offset from UTC has no place in ISO 8601 text as pydantic writes it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

_MINUTE = timedelta(minutes=1)


def with_whole_minutes(value: datetime | time) -> datetime | time:
    """Return an equal value whose offset is in whole minutes; local times of the 19th century have others.

    Raises:
        ValueError: it is a time of day, for which there is none.
    """
    if value.tzinfo is None:
        return value
    offset = value.utcoffset()
    if isinstance(value, datetime):
        return value.astimezone(UTC) if offset is not None and offset % _MINUTE else value
    if offset is not None and not offset % _MINUTE:
        return value
    raise ValueError(f"the time of day {value!r} has no offset from UTC in whole minutes; pass a datetime")
