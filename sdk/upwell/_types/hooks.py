"""Models whose validators and serializers are the user's: what they write may not be what they read.

Such a value is read back when it is written, and pickled if it comes back as another one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError, functional_serializers, functional_validators
from pydantic_core import SchemaSerializer, SchemaValidator, to_json

from upwell._types.pickled import PickleLog, UnreadablePickleError

_VALIDATORS = tuple(
    getattr(functional_validators, f"{kind}Validator") for kind in ("After", "Before", "Plain", "Wrap")
)
_SERIALIZERS = tuple(getattr(functional_serializers, f"{kind}Serializer") for kind in ("Plain", "Wrap"))
_DECORATED = ("validators", "field_validators", "root_validators", "model_validators")
_SERIALIZED = ("field_serializers", "model_serializers")


def has_hooks(cls: Any) -> bool:
    """Say whether code of the user's runs when a model, or a dataclass of pydantic's, is read or written."""
    return _has(cls, _DECORATED, _VALIDATORS) or has_serializers(cls)


def has_serializers(cls: Any) -> bool:
    """Say whether code of the user's runs when it is written."""
    return _has(cls, _SERIALIZED, _SERIALIZERS)


def _has(cls: Any, decorators: tuple[str, ...], kinds: tuple[type, ...]) -> bool:
    known = getattr(cls, "__pydantic_decorators__", None)
    fields = getattr(cls, "__pydantic_fields__", {})
    metadata = [item for field in fields.values() for item in field.metadata]
    return any(getattr(known, name, None) for name in decorators) or any(isinstance(m, kinds) for m in metadata)


class Keeper:
    """Says whether values of a class come back from what is written of them.

    Args:
        cls: The class.
        validator: Makes what reads them.
        serializer: Makes what writes them.
    """

    def __init__(
        self, cls: type, validator: Callable[[], SchemaValidator], serializer: Callable[[], SchemaSerializer]
    ) -> None:
        self._is_lossy = has_serializers(cls)
        self._make = validator, serializer
        self._made: tuple[SchemaValidator, SchemaSerializer] | None = None

    def keeps(self, value: Any, written: Any) -> bool:
        """Say whether a value comes back.

        Args:
            value: The value.
            written: What was written of it, as JSON's types.
        """
        if self._made is None:  # not before all definitions are there
            self._made = self._make[0](), self._make[1]()
        reader, writer = self._made
        data = to_json(written, inf_nan_mode="strings")
        try:
            found = reader.validate_json(data, by_alias=False, by_name=True)
        except (ValidationError, UnreadablePickleError):
            return False
        if _is_equal(found, value):
            return True
        if self._is_lossy:
            return False
        # Perhaps it holds nan, or an array: then it is not equal to itself, but is written alike.
        log = PickleLog(with_digest=False)
        again = writer.to_json(found, by_alias=False, round_trip=True, warnings=False, context=log)
        return bool(
            again == writer.to_json(value, by_alias=False, round_trip=True, warnings=False, context=log)
        )


def _is_equal(left: Any, right: Any) -> bool:
    try:
        return bool(left == right)
    except Exception:  # any code of the user's may run here, and arrays have no truth value
        return False
