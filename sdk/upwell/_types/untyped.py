"""Values that no schema describes: as JSON where that is exact, in forms of registered types, or pickled."""

from __future__ import annotations

import base64
import math
from enum import Enum
from typing import Any

from upwell._types.forms import Form, UnknownFormError, form_named, form_of
from upwell._types.marks import FLOAT, FORM, MARK, PICKLE, TREE
from upwell._types.pickled import PickleLog, UnwritableError, from_pickle, to_pickle

_MAX_DEPTH = 100
"""Deeper values are pickled: the JSON parser stops at twice this depth, and a cycle ends here."""
_PLAIN = frozenset({int, bool, type(None)})
_SMALL_LIST = 4


class Fit(Enum):
    """How well JSON holds a value."""

    EXACT = "exact"
    MARKED = "marked"
    """Exact but for nan, infinity, and values of types with a form of their own."""
    NONE = "none"


class NoFormError(Exception):
    """A value has no form without pickle."""


class UnwritableFormError(UnwritableError):
    """The `encode` function of a registered type failed, or returned what cannot travel."""


class UnreadableFormError(Exception):
    """A value in the form of a registered type could not be read. Not a validation error, as for pickles."""


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
        return Fit.EXACT if math.isfinite(value) else Fit.MARKED
    if depth >= _MAX_DEPTH:
        return Fit.NONE
    if kind is list:
        return _fit_all(value, depth)
    if kind is dict:
        if MARK in value or not all(type(key) is str and _is_unicode(key) for key in value):
            return Fit.NONE
        return _fit_all(value.values(), depth)
    return Fit.NONE if form_of(kind) is None else Fit.MARKED


def _fit_all(items: Any, depth: int) -> Fit:
    if len(items) > _SMALL_LIST:
        kinds = set(map(type, items))
        if kinds <= _PLAIN:
            return Fit.EXACT
        if kinds == {float}:
            return Fit.EXACT if all(map(math.isfinite, items)) else Fit.MARKED
        if kinds == {str} and all(map(str.isascii, items)):
            return Fit.EXACT
    result = Fit.EXACT
    for item in items:
        fit = _fit(item, depth + 1)
        if fit is Fit.NONE:
            return fit
        if fit is Fit.MARKED:
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


def write_untyped(value: Any, log: PickleLog) -> Any:
    """Return a value as it is when JSON holds it exactly, otherwise an object that stands for it."""
    fit = json_fit(value)
    if fit is Fit.EXACT:
        return value
    if fit is Fit.MARKED:
        try:
            form = form_of(type(value))
            return {MARK: TREE, "value": _marked(value)} if form is None else _in_form(form, value)
        except NoFormError:
            pass
        except Exception as e:  # pydantic would hide what the user's function raised
            log.failure = e
            raise
    return to_pickle(value, log, because_of=type(_culprit(value)))


def _culprit(value: Any, depth: int = 0) -> Any:
    """Return the first part of a value for which all of it has to be pickled."""
    parts = value if type(value) is list else value.values() if type(value) is dict else ()
    if depth < _MAX_DEPTH:  # a value may hold itself
        for part in parts:
            if _fit(part, depth + 1) is Fit.NONE:
                return _culprit(part, depth + 1)
    return value


def _marked(value: Any) -> Any:
    """Return JSON of a value that is made of JSON's types, floats, and registered types."""
    kind = type(value)
    if kind is float and not math.isfinite(value):
        return {MARK: FLOAT, "value": str(value)}
    if kind is list:
        return [_marked(item) for item in value]
    if kind is dict:
        return {key: _marked(item) for key, item in value.items()}
    form = form_of(kind)
    return value if form is None else _in_form(form, value)


def _in_form(form: Form, value: Any) -> dict[str, Any]:
    try:
        encoded = form.encode(value)
    except Exception as e:
        raise UnwritableFormError(f"the encode function of {form.name} failed ({type(e).__name__}: {e})") from e
    if encoded is NotImplemented:
        raise NoFormError
    if isinstance(encoded, (bytes, bytearray)):
        return {MARK: FORM, "type": form.name, "data": base64.b64encode(encoded).decode()}
    if json_fit(encoded) is Fit.NONE:
        raise UnwritableFormError(
            f"the encode function of {form.name} returned {type(encoded).__name__} {encoded!r:.80}; it must be "
            "bytes, or None, bool, int, float, str, lists and dicts with string keys of these"
        )
    return {MARK: FORM, "type": form.name, "value": _marked(encoded)}


def read_marked(found: dict[str, Any], refused_by: str | None) -> Any:
    """Return the value that an object with a mark stands for.

    Args:
        found: The object.
        refused_by: Where pickles are refused, if they are.

    Raises:
        UnreadablePickleError: it is a pickle that cannot be unpickled here, or must not be.
        UnreadableFormError: it is of a type that is not registered here, or whose `decode` fails.
    """
    if found[MARK] == PICKLE:
        return from_pickle(found, refused_by)
    return _unmarked(found["value"] if found[MARK] == TREE else found)


def _unmarked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unmarked(item) for item in value]
    if not isinstance(value, dict):
        return value
    mark = value.get(MARK)
    if mark == FLOAT:
        return float(value["value"])
    if mark == FORM:
        return _from_form(value)
    return {key: _unmarked(item) for key, item in value.items()}


def _from_form(found: dict[str, Any]) -> Any:
    name = found["type"]
    try:
        form = form_named(name)
    except UnknownFormError as e:
        raise UnreadableFormError(str(e)) from e
    try:
        if "data" in found:
            value = form.decode(base64.b64decode(found["data"], validate=True))
        else:
            value = form.decode(_unmarked(found["value"]))
    except UnreadableFormError:
        raise
    except Exception as e:  # any code of the user's may run here
        raise UnreadableFormError(f"the decode function of {name} failed ({type(e).__name__}: {e})") from e
    if not isinstance(value, form.cls):
        raise UnreadableFormError(
            f"the decode function of {name} returned a {type(value).__name__}; it must return what encode was "
            "given"
        )
    return value
