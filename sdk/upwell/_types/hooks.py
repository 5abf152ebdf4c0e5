"""Classes whose own code runs when they are made or written: what they write may not be what they read.

Such a value is read back when it is written, and pickled if it comes back as another one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel, ValidationError, functional_serializers, functional_validators
from pydantic_core import SchemaValidator, to_json

from upwell._types.pickled import UnreadablePickleError

_ANNOTATED = tuple(
    getattr(functional_validators, f"{kind}Validator") for kind in ("After", "Before", "Plain", "Wrap")
) + tuple(getattr(functional_serializers, f"{kind}Serializer") for kind in ("Plain", "Wrap"))
_DECORATED = (
    "validators",
    "field_validators",
    "root_validators",
    "model_validators",
    "field_serializers",
    "model_serializers",
)


def has_hooks(cls: Any) -> bool:
    """Say whether code of the user's runs when a model, or a dataclass of pydantic's, is read or written."""
    known = getattr(cls, "__pydantic_decorators__", None)
    fields = getattr(cls, "__pydantic_fields__", {})
    is_annotated = any(isinstance(item, _ANNOTATED) for field in fields.values() for item in field.metadata)
    return is_annotated or any(getattr(known, name, None) for name in _DECORATED)


class Keeper:
    """Says whether values of a class come back from what is written of them.

    Args:
        validator: Makes what reads them.
        sent_of: What of a value must come back; None is the value itself.
    """

    def __init__(
        self, validator: Callable[[], SchemaValidator], sent_of: Callable[[Any], Any] | None = None
    ) -> None:
        self._make = validator
        self._sent_of = sent_of
        self._reader: SchemaValidator | None = None

    def keeps(self, value: Any, written: Any) -> bool:
        """Say whether a value comes back.

        Args:
            value: The value.
            written: What was written of it, as JSON's types.
        """
        if self._reader is None:  # not before all definitions are there
            self._reader = self._make()
        data = to_json(written, inf_nan_mode="strings")
        try:
            found = self._reader.validate_json(data, by_alias=False, by_name=True)
        except (ValidationError, UnreadablePickleError):
            return False
        return comes_back(self._sent_of(value) if self._sent_of else value, found)


def comes_back(value: Any, found: Any) -> bool:
    """Say whether two values are equal, part by part; nan is itself, and a number may be of another type.

    Objects that are only ever equal to themselves count as equal if they are of one type.
    """
    if isinstance(value, dict) and isinstance(found, dict):
        return value.keys() == found.keys() and all(comes_back(value[key], found[key]) for key in value)
    if isinstance(value, (list, tuple)) and type(value) is type(found):
        return len(value) == len(found) and all(map(comes_back, value, found))
    fields = _fields(value)
    if fields is not None:
        return type(value) is type(found) and all(
            comes_back(getattr(value, name, None), getattr(found, name, None)) for name in fields
        )
    if hasattr(value, "tobytes") and hasattr(value, "shape"):
        return type(value) is type(found) and value.shape == found.shape and value.tobytes() == found.tobytes()
    if type(value).__eq__ is object.__eq__:  # type: ignore[comparison-overlap]  # of a class that has none of its own
        return type(value) is type(found)
    try:
        return bool(value == found) or bool(value != value and found != found)
    except Exception:  # any code of the user's may run here
        return False


def _fields(value: Any) -> Iterable[str] | None:
    if isinstance(value, BaseModel):
        return vars(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [field.name for field in dataclasses.fields(value)]
    return None
