"""What can be written as JSON and not be read again: found when it is written, where the caller is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic_core import from_json

from upwell._types.pickled import UnwritableError

INT_DIGITS = 4300
"""The JSON parser reads no longer numbers; Python's own limit for numbers in text."""
_MAX_NESTED = 190
_DIGITS = b"0123456789"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()


class UnreadableJsonError(UnwritableError):
    """What was written could not be read."""


def check_numbers(data: bytes) -> None:
    """Check that no number in JSON is too long.

    Raises:
        UnreadableJsonError: one is.
    """
    if _may_have_a_long_number(data):
        _parse(data, f"it holds an int of more than {INT_DIGITS} digits; pass it as text or bytes")


def check_depth(data: bytes) -> None:
    """Check that JSON is not nested too deeply.

    Raises:
        UnreadableJsonError: it is.
    """
    if data.count(b"[") + data.count(b"{") > _MAX_NESTED:
        _parse(data, "it is nested too deeply, more than about 190 levels; pass a list instead of links")


def check_text(data: bytes, values: dict[str, Any]) -> None:
    """Check that no key of a dict was changed: what is no Unicode in keys is replaced without an error.

    Raises:
        UnreadableJsonError: one was.
    """
    if _REPLACEMENT in data and has_surrogates(values):
        raise UnreadableJsonError(_SURROGATES)


def explained(error: Exception) -> str:
    """Return what to say of an error while values were written."""
    if "surrogates not allowed" in str(error):
        return _SURROGATES
    if "Circular reference" in str(error):
        return "cannot be written: it holds itself, or is nested too deeply; pass a list instead of links"
    return str(error)


_SURROGATES = (
    "cannot be written: text in it has a lone surrogate, which UTF-8 has no bytes for; pass bytes "
    "(os.fsencode makes them of the name of a file)"
)


def _may_have_a_long_number(data: bytes) -> bool:
    """Look at every 4300th byte: a longer run of digits covers one of them."""
    for at in range(INT_DIGITS, len(data), INT_DIGITS):
        if data[at : at + 1].isdigit():
            before = data[at - INT_DIGITS : at]
            after = data[at : at + INT_DIGITS]
            run = len(before) - len(before.rstrip(_DIGITS)) + len(after) - len(after.lstrip(_DIGITS))
            if run > INT_DIGITS:
                return True
    return False


def _parse(data: bytes, problem: str) -> None:
    try:
        from_json(data)
    except ValueError as e:
        raise UnreadableJsonError(f"cannot be written: {problem}") from e


def has_surrogates(value: Any) -> bool:
    """Say whether there is text in a value that is no Unicode."""
    if isinstance(value, str):
        return any("\ud800" <= character <= "\udfff" for character in value)
    return any(map(has_surrogates, _parts(value)))


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return (*value.keys(), *value.values())
    if isinstance(value, (list, tuple, set, frozenset)):
        return value
    if isinstance(value, BaseModel):
        return value.__dict__.values()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return (getattr(value, field.name, None) for field in dataclasses.fields(value))
    return ()
