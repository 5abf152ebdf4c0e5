"""One codec for a set of named, typed values: checks them, writes them as JSON, reads them back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import typing_extensions
from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError, SchemaSerializer, SchemaValidator, from_json, to_json

from upwell._types.annotations import prepare, type_name
from upwell._types.pickled import PickleLog, UnreadablePickleError, UnwritableError
from upwell._types.schema_tree import Node
from upwell._types.strict_schema import StrictSchema
from upwell._types.wire_schema import WireSchema

_SHOWN_CHARS = 80
_SHOWN_ERRORS = 3


class ValueProblem(Exception):  # noqa: N818  # internal: the interface turns it into the caller's exception
    """A value does not fit, or cannot be written or read."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name
        self.text = text


class Codec:
    """Values by name to bytes and back. Building it takes milliseconds, so it happens at the first use.

    Args:
        types: Type of each value.
        names: Local names that string annotations in these types may mean.
        with_digest: Whether pickles carry a hash of their content, as inputs need.
    """

    def __init__(self, types: Mapping[str, Any], names: Mapping[str, Any], *, with_digest: bool) -> None:
        self.types = dict(types)
        self._names = names
        self._with_digest = with_digest
        for annotation in self.types.values():
            prepare(annotation, names)
        schema = _core_schema(self.types, names)
        strict = StrictSchema(schema)
        self.wire = WireSchema(schema, strict)
        self._checker = strict.validator()

    @cached_property
    def _reader(self) -> SchemaValidator:
        return self.wire.validator()

    @cached_property
    def _writer(self) -> SchemaSerializer:
        return self.wire.serializer()

    @cached_property
    def texts(self) -> SchemaValidator:
        """What reads values as people write them: with all of pydantic's conversions."""
        schema: Any = _core_schema(self.types, self._names)
        return SchemaValidator(schema)

    def check(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values as their types want them.

        Raises:
            ValueProblem: one has a wrong type.
        """
        try:
            checked: dict[str, Any] = self._checker.validate_python(values)
        except ValidationError as e:
            raise self._wrong_type(e, values) from None
        return checked

    def write(self, values: dict[str, Any]) -> tuple[bytes, list[tuple[str, type]]]:
        """Return checked values as JSON, and the name and type of each value that had to be pickled.

        Raises:
            ValueProblem: one cannot be written.
        """
        log = PickleLog(with_digest=self._with_digest)
        try:
            data = self._dump(values, log)
        except (PydanticSerializationError, UnwritableError, UnicodeEncodeError) as e:
            if log.failure is not None and not isinstance(log.failure, UnwritableError):
                raise log.failure from None  # storage is out of reach, or a hash function of the user failed
            raise self._not_writable(values, e) from (log.failure or e)
        if not log.types or len(values) == 1:
            return data, [(name, kind) for name in values for kind in log.types]
        return data, self._who_was_pickled(values)

    def read(self, data: bytes) -> dict[str, Any]:
        """Return the values of a JSON object.

        Raises:
            ValueProblem: it is not what `write` wrote for these types.
        """
        try:
            values: dict[str, Any] = self._reader.validate_json(data, by_alias=False, by_name=True)
        except ValidationError as e:
            first = e.errors(include_url=False, include_context=False)[0]
            name = str(first["loc"][0]) if first["loc"] else ""
            raise ValueProblem(name, f"cannot be read back: {_problem(first)}") from e
        except UnreadablePickleError as e:
            raise ValueProblem(self._unreadable(data), f"cannot be read back: {e}") from e
        return values

    def _dump(self, values: dict[str, Any], log: PickleLog) -> bytes:
        return self._writer.to_json(values, by_alias=False, round_trip=True, warnings=False, context=log)

    def _who_was_pickled(self, values: dict[str, Any]) -> list[tuple[str, type]]:
        pickled = []
        for name, value in values.items():
            log = PickleLog(with_digest=False)
            self._dump({name: value}, log)
            pickled += [(name, kind) for kind in log.types]
        return pickled

    def _unreadable(self, data: bytes) -> str:
        """Return the name of the first value that cannot be unpickled."""
        for name, value in from_json(data).items():
            try:
                self._reader.validate_json(to_json({name: value}), by_alias=False, by_name=True)
            except ValidationError:
                continue  # the other values are missing
            except UnreadablePickleError:
                return str(name)
        return ""

    def _not_writable(self, values: dict[str, Any], error: Exception) -> ValueProblem:
        for name, value in values.items():
            log = PickleLog(with_digest=False)
            try:
                self._dump({name: value}, log)
            except Exception as e:
                return ValueProblem(name, str(log.failure or e))
        return ValueProblem("", str(error))

    def _wrong_type(self, error: ValidationError, values: dict[str, Any]) -> ValueProblem:
        problems = error.errors(include_url=False, include_context=False)
        name = str(problems[0]["loc"][0])
        value = values.get(name)
        expected = type_name(self.types.get(name, Any))
        details = "; ".join(_problem(p) for p in problems[:_SHOWN_ERRORS] if p["loc"][0] == name)
        return ValueProblem(name, f"expects {expected}, got {type(value).__name__} {shown(value)} ({details})")


def shown(value: Any) -> str:
    """Return a value's repr for messages, cut to a line."""
    try:
        text = repr(value)
    except Exception as e:  # the repr is the user's code
        text = f"<repr failed: {type(e).__name__}>"
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 3] + "..."


def _problem(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"][1:])
    return f"at {where}: {problem['msg']}" if where else str(problem["msg"])


def _core_schema(types: Mapping[str, Any], names: Mapping[str, Any]) -> Node:
    """Return pydantic's schema of a dict with these values.

    Raises:
        ValueProblem: pydantic cannot describe one of the types.
    """
    try:
        return _describe(types, names)
    except (PydanticUserError, TypeError, NameError) as e:
        for name, annotation in types.items():
            try:
                _describe({name: annotation}, names)
            except (PydanticUserError, TypeError, NameError) as cause:
                text = str(cause).splitlines()[0]
                raise ValueProblem(
                    name, f"has an annotation that cannot be used, {annotation!r}: {text}"
                ) from cause
        raise ValueProblem("", str(e)) from e


def _describe(types: Mapping[str, Any], names: Mapping[str, Any]) -> Node:
    make_typed_dict: Any = typing_extensions.TypedDict
    described = make_typed_dict("Values", dict(types))
    described.__pydantic_config__ = {"arbitrary_types_allowed": True, "defer_build": True}
    adapter: TypeAdapter[Any] = TypeAdapter(described)
    adapter.rebuild(_types_namespace=dict(names))
    return dict(adapter.core_schema)
