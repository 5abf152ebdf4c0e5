"""Values that code closes over, as text."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import pathlib
import uuid
from collections.abc import Mapping
from typing import Any

_PLAIN = (
    *(bool, int, float, complex, str, bytes, type(None), type(...), range),
    *(datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction, uuid.UUID),
)


def value_text(value: Any) -> str | None:
    """Return the text of a simple value, the same in every process; None if it is not simple.

    Numbers, texts, bytes, dates, paths, members of enumerations, and built-in collections of such are simple.

    Example:
        >>> value_text({"b": {2, 1}})
        "{str:'b': set{int:1,int:2}}"
    """
    kind = type(value)
    if kind in _PLAIN or kind is datetime.datetime:
        return f"{kind.__name__}:{value!a}"
    if isinstance(value, enum.Enum):
        return f"{kind.__module__}.{kind.__qualname__}.{value.name}"
    if isinstance(value, pathlib.PurePath):
        return f"path:{value.as_posix()!a}"
    if kind in (list, tuple, set, frozenset):
        items = [value_text(item) for item in value]
        if None in items:
            return None
        texts = [item for item in items if item is not None]
        return f"{kind.__name__}{{{','.join(texts if kind in (list, tuple) else sorted(texts))}}}"
    return _members(value) if kind is dict else None


def _members(value: Mapping[Any, Any]) -> str | None:
    texts = [(value_text(k), value_text(v)) for k, v in value.items()]
    if any(k is None or v is None for k, v in texts):
        return None
    return "{" + ",".join(f"{k}: {v}" for k, v in texts) + "}"
