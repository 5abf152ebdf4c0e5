"""Values that no schema describes: as JSON where that is exact, by cloudpickle otherwise."""

from __future__ import annotations

import base64
import math
import pickle
from enum import Enum
from typing import Any

from upwell._types.content_digest import content_digest
from upwell._types.marks import MARK, PICKLE

_MAX_DEPTH = 100
"""Deeper values are pickled: the JSON parser stops at twice this depth, and a cycle ends here."""
_PLAIN = frozenset({int, bool, type(None)})
_SMALL_LIST = 4


class Fit(Enum):
    """How well JSON holds a value."""

    EXACT = "exact"
    NON_FINITE = "non-finite"
    """Exact but for nan or infinity."""
    NONE = "none"


class PickleLog:
    """What happened to the values without a schema while one message was encoded."""

    __slots__ = ("failure", "types", "with_digest")

    def __init__(self, *, with_digest: bool) -> None:
        self.with_digest = with_digest
        self.types: list[type] = []
        """Types of the pickled values that deserve a warning."""
        self.failure: Exception | None = None
        """Why a value could not be written: pydantic hides it."""


class UnwritableError(Exception):
    """A value cannot be written."""


class UnpicklableError(UnwritableError):
    """A value could not be pickled."""

    def __init__(self, value: object, cause: BaseException) -> None:
        kind = type(value)
        super().__init__(
            f"a value of type {kind.__module__}.{kind.__qualname__} cannot be pickled "
            f"({type(cause).__name__}: {cause})"
        )


class UnreadablePickleError(Exception):
    """A pickled value could not be read."""


def json_fit(value: Any) -> Fit:
    """Say whether a value is made of JSON's own types alone: no subclasses, no tuples, string keys."""
    return _fit(value, 0)


def _fit(value: Any, depth: int) -> Fit:
    kind = type(value)
    if kind in _PLAIN:
        return Fit.EXACT
    if kind is str:
        return Fit.EXACT if _is_unicode(value) else Fit.NONE
    if kind is float:
        return Fit.EXACT if math.isfinite(value) else Fit.NON_FINITE
    if depth >= _MAX_DEPTH:
        return Fit.NONE
    if kind is list:
        return _fit_all(value, depth)
    if kind is dict:
        if MARK in value or not all(type(key) is str and _is_unicode(key) for key in value):
            return Fit.NONE
        return _fit_all(value.values(), depth)
    return Fit.NONE


def _fit_all(items: Any, depth: int) -> Fit:
    if len(items) > _SMALL_LIST:
        kinds = set(map(type, items))
        if kinds <= _PLAIN:
            return Fit.EXACT
        if kinds == {float}:
            return Fit.EXACT if all(map(math.isfinite, items)) else Fit.NON_FINITE
        if kinds == {str} and all(map(str.isascii, items)):
            return Fit.EXACT
    result = Fit.EXACT
    for item in items:
        fit = _fit(item, depth + 1)
        if fit is Fit.NONE:
            return fit
        if fit is Fit.NON_FINITE:
            result = fit
    return result


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True


def to_json_or_pickle(value: Any, log: PickleLog) -> Any:
    """Return a value as it is when JSON holds it exactly, otherwise a pickle object."""
    fit = json_fit(value)
    if fit is Fit.EXACT:
        return value
    return to_pickle(value, log, quiet=fit is Fit.NON_FINITE)


def to_pickle(value: Any, log: PickleLog, *, quiet: bool = False) -> dict[str, str]:
    """Return the pickle object of a value.

    Raises:
        UnpicklableError: it cannot be pickled; also kept in the log, because pydantic hides it.
    """
    import cloudpickle  # type: ignore[import-untyped]  # has no stubs; loaded here as most runs never need it

    try:
        data: bytes = cloudpickle.dumps(value)
    except Exception as e:
        log.failure = UnpicklableError(value, e)
        raise log.failure from e
    if not quiet:
        log.types.append(type(value))
    marked = {MARK: PICKLE, "data": base64.b64encode(data).decode()}
    if log.with_digest:
        marked["digest"] = content_digest(value, data)
    return marked


def from_pickle(marked: dict[str, Any]) -> Any:
    """Return the value of a pickle object.

    Raises:
        UnreadablePickleError: it cannot be unpickled here. Not a validation error, which would let a union
            go on to read the object as something else.
    """
    try:
        return pickle.loads(base64.b64decode(marked["data"], validate=True))
    except Exception as e:  # any code of the value's class may run here
        raise UnreadablePickleError(f"its pickle cannot be read here ({type(e).__name__}: {e})") from e
