"""One codec for a set of named, typed values: checks them, writes them as JSON, reads them back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

from pydantic import ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError, SchemaSerializer, SchemaValidator, from_json, to_json

from upwell._types.annotations import prepare, type_name
from upwell._types.described import describe_values
from upwell._types.pickled import PickleLog, UnreadablePickleError, UnwritableError
from upwell._types.readable import INT_DIGITS, check_depth, check_numbers, check_text, explained
from upwell._types.schema_tree import Node
from upwell._types.strict_schema import StrictSchema
from upwell._types.untyped import UnreadableFormError
from upwell._types.value_problem import ValueProblem
from upwell._types.wire_nodes import ELSE, IF_MARKED
from upwell._types.wire_schema import WireSchema

_SHOWN_CHARS = 80
_SHOWN_ERRORS = 3
_SHOWN_PARTS = 12
_UNDESCRIBABLE = (PydanticUserError, TypeError, NameError, LookupError)


class Codec:
    """Values by name to bytes and back. Building it takes milliseconds, so it happens at the first use.

    Args:
        types: Type of each value.
        names: Local names that string annotations in these types may mean.
        with_digest: Whether pickles carry a hash of their content, as inputs need.
        optional: Values that may be missing from what is read.
    """

    def __init__(
        self,
        types: Mapping[str, Any],
        names: Mapping[str, Any],
        *,
        with_digest: bool,
        optional: Collection[str] = (),
    ) -> None:
        self.types = dict(types)
        self._names = names
        self._with_digest = with_digest
        for annotation in self.types.values():
            prepare(annotation, names)
        schema = _core_schema(self.types, names)
        strict = StrictSchema(schema)
        self.wire = WireSchema(schema, strict, names, optional)
        self._checker = strict.validator()
        self._is_fragile = self.wire.nests or self.wire.has_text_keys

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

    def write(
        self, values: dict[str, Any], refused_by: str | None = None
    ) -> tuple[bytes, list[tuple[str, type]]]:
        """Return checked values as JSON, and the name and type of each value that had to be pickled.

        Args:
            values: What `check` returned.
            refused_by: The environment that refuses pickles, if one does.

        Raises:
            ValueProblem: one cannot be written.
        """
        log = PickleLog(with_digest=self._with_digest, refused_by=refused_by)
        try:
            data = self._dump(values, log)
            if self._is_fragile or len(data) > INT_DIGITS:
                self._check_readable(data, values)
        except (PydanticSerializationError, UnwritableError, UnicodeEncodeError) as e:
            if log.failure is not None and not isinstance(log.failure, UnwritableError):
                raise log.failure from None  # storage is out of reach, or a hash function of the user failed
            raise self._not_writable(values, e, refused_by) from (log.failure or e)
        if not log.types or len(values) == 1:
            return data, [(name, kind) for name in values for kind in log.types]
        return data, self._who_was_pickled(values)

    def read(self, data: bytes, refused_by: str | None = None) -> dict[str, Any]:
        """Return the values of a JSON object.

        Args:
            data: What `write` returned.
            refused_by: The environment that refuses pickles, if one does.

        Raises:
            ValueProblem: it is not what `write` wrote for these types.
        """
        try:
            values: dict[str, Any] = self._reader.validate_json(
                data, by_alias=False, by_name=True, context=refused_by
            )
        except ValidationError as e:
            problems = e.errors(include_url=False, include_context=False)
            first = next((problem for problem in problems if IF_MARKED not in problem["loc"]), problems[0])
            name = str(first["loc"][0]) if first["loc"] else ""
            raise ValueProblem(name, f"cannot be read back: {_problem(first)}") from e
        except (UnreadablePickleError, UnreadableFormError) as e:
            raise ValueProblem(self._unreadable(data, refused_by), f"cannot be read back: {e}") from e
        return values

    def convert(self, data: bytes) -> dict[str, Any]:
        """Return the values of a JSON object that a person wrote, converted to their types.

        No mark in it means anything, so that nothing of it is unpickled.

        Raises:
            ValueProblem: one has a wrong type.
        """
        try:
            values: dict[str, Any] = self.texts.validate_json(data)
        except ValidationError as e:
            raise self._wrong_type(e, from_json(data)) from None
        return values

    def _dump(self, values: dict[str, Any], log: PickleLog) -> bytes:
        return self._writer.to_json(values, by_alias=False, round_trip=True, warnings=False, context=log)

    def _check_readable(self, data: bytes, values: dict[str, Any]) -> None:
        if len(data) > INT_DIGITS:
            check_numbers(data)
        if self.wire.nests:
            check_depth(data)
        if self.wire.has_text_keys:
            check_text(data, values)

    def _who_was_pickled(self, values: dict[str, Any]) -> list[tuple[str, type]]:
        pickled = []
        for name, value in values.items():
            log = PickleLog(with_digest=False)
            self._dump({name: value}, log)
            pickled += [(name, kind) for kind in log.types]
        return pickled

    def _unreadable(self, data: bytes, refused_by: str | None) -> str:
        """Return the name of the first value whose pickle or form cannot be read."""
        for name, value in from_json(data).items():
            alone = to_json({name: value})
            try:
                self._reader.validate_json(alone, by_alias=False, by_name=True, context=refused_by)
            except ValidationError:
                continue  # the other values are missing
            except (UnreadablePickleError, UnreadableFormError):
                return str(name)
        return ""

    def _not_writable(self, values: dict[str, Any], error: Exception, refused_by: str | None) -> ValueProblem:
        for name, value in values.items():
            log = PickleLog(with_digest=False, refused_by=refused_by)
            try:
                self._check_readable(self._dump({name: value}, log), {name: value})
            except Exception as e:
                return ValueProblem(name, explained(log.failure or e))
        return ValueProblem("", explained(error))

    def _wrong_type(self, error: ValidationError, values: dict[str, Any]) -> ValueProblem:
        problems = error.errors(include_url=False, include_context=False)
        name = str(problems[0]["loc"][0])
        value = values.get(name)
        expected = type_name(self.types.get(name, Any))
        details = "; ".join(_problem(p) for p in problems[:_SHOWN_ERRORS] if p["loc"][0] == name)
        advice = (
            "; pass its .item()" if type(value).__module__ == "numpy" and not getattr(value, "shape", 1) else ""
        )
        text = f"expects {expected}, got {type(value).__name__} {shown(value)} ({details}){advice}"
        return ValueProblem(name, text)


def shown(value: Any) -> str:
    """Return a value's repr for messages, cut to a line."""
    try:
        text = repr(value)
    except Exception as e:  # the repr is the user's code
        text = f"<repr failed: {type(e).__name__}>"
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 3] + "..."


def _problem(problem: Any) -> str:
    parts = tuple(part for part in problem["loc"][1:] if part != ELSE)
    if len(parts) > _SHOWN_PARTS:
        parts = (*parts[: _SHOWN_PARTS // 2], "...", *parts[-_SHOWN_PARTS // 2 :])
    where = ".".join(str(part) for part in parts)
    return f"at {where}: {problem['msg']}" if where else str(problem["msg"])


def _core_schema(types: Mapping[str, Any], names: Mapping[str, Any]) -> Node:
    """Return pydantic's schema of a dict with these values.

    Raises:
        ValueProblem: pydantic cannot describe one of the types.
    """
    try:
        return describe_values(types, names)
    except _UNDESCRIBABLE as e:
        for name, annotation in types.items():
            try:
                describe_values({name: annotation}, names)
            except _UNDESCRIBABLE as cause:
                text = str(cause).splitlines()[0]
                raise ValueProblem(
                    name, f"has an annotation that cannot be used, {annotation!r}: {text}"
                ) from cause
        raise ValueProblem("", str(e)) from e
