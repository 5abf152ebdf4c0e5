"""What a line of the log is about, without its having to say so."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_SUBJECT: ContextVar[Mapping[str, object]] = ContextVar("upwell_subject", default=MappingProxyType({}))


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Have lines that are logged in here, and in tasks that are started in here, carry these fields.

    Example:
        >>> with about(run_id="r1"), about(action_id="a0"):
        ...     subject() == {"run_id": "r1", "action_id": "a0"}
        True
    """
    token = _SUBJECT.set({**_SUBJECT.get(), **fields})
    try:
        yield
    finally:
        _SUBJECT.reset(token)


def subject() -> Mapping[str, object]:
    """Return the fields of here and now."""
    return _SUBJECT.get()


class SubjectFilter(logging.Filter):
    """Gives each record the fields that it does not have of its own."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Complete a record; all pass."""
        for name, value in subject().items():
            record.__dict__.setdefault(name, value)
        return True
