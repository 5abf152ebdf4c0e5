"""The schemas that the wire schema is changed to: how marks and tagged members are written and read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import Flag
from typing import Any

from pydantic_core import core_schema as cs

from upwell._types.hooks import Keeper
from upwell._types.marks import FORM, MARK, MEMBER, PICKLE, TREE
from upwell._types.pickled import to_pickle
from upwell._types.schema_tree import Node
from upwell._types.untyped import read_marked, write_untyped

IF_MARKED, ELSE = f"{MARK}:marked", f"{MARK}:else"
"""Names of choices of ours in the places of errors."""
_PATTERN_READER = "pydantic._internal._validators.pattern_"
"""What reads regular expressions."""
CONFIG = {
    "ser_json_bytes": "base64",
    "val_json_bytes": "base64",
    "ser_json_timedelta": "iso8601",
    "ser_json_inf_nan": "strings",
}
"""How pydantic writes what JSON has no type for. Nested models take their own, so each gets a copy."""


def read_write(read: Node, writer: Any) -> Node:
    """Return a schema that reads JSON by one schema and writes it by a function."""
    return {
        "type": "json-or-python",
        "json_schema": read,
        "python_schema": {"type": "any"},
        "serialization": writer,
    }


def after(function: Callable[[Any], Any], schema: Node) -> Node:
    """Return a schema that applies a function to what another one read."""
    return {"type": "function-after", "function": {"type": "no-info", "function": function}, "schema": schema}


def literal(value: str) -> Node:
    """Return the schema of one string."""
    return {"type": "literal", "expected": [value]}


def json_object(members: dict[str, Node]) -> Node:
    """Return the schema of a JSON object with these members."""
    described = {name: _field(schema) for name, schema in members.items()}
    return {"type": "typed-dict", "fields": described, "config": dict(CONFIG)}


def _field(schema: Node) -> Node:
    return {"type": "typed-dict-field", "schema": schema}


def plain_writer(function: Callable[[Any], Any], schema: Any = None) -> Any:
    """Return a writer that replaces a value by the function's result, written by a schema."""
    return cs.plain_serializer_function_ser_schema(function, return_schema=schema)


_FOUND = {
    "type": "function-after",
    "function": {"type": "with-info", "function": lambda found, info: read_marked(found, info.context)},
    "schema": {"type": "typed-dict", "fields": {MARK: _field({"type": "str"})}, "extra_behavior": "allow"},
}
_MARKED = {
    "type": "tagged-union",
    "discriminator": MARK,
    "choices": dict.fromkeys((PICKLE, FORM, TREE), _FOUND),
}


def marked_or(schema: Node) -> Node:
    """Return a schema that reads what stands for pickles and forms, and all else by another schema."""
    return {"type": "union", "choices": [(_MARKED, IF_MARKED), (schema, ELSE)], "mode": "left_to_right"}


def opaque(json_type: str = "any") -> Node:
    """Return the schema of values without a schema: JSON where that is exact, marked objects otherwise.

    Args:
        json_type: What they are when they are JSON: `list`, `dict` or `any`.
    """

    def write(value: Any, info: Any) -> Any:
        return write_untyped(value, info.context)

    writer = cs.plain_serializer_function_ser_schema(write, info_arg=True)
    return read_write(marked_or({"type": json_type}), writer)


def is_pattern(node: Node) -> bool:
    """Say whether a schema is that of regular expressions, whose flags pydantic drops."""
    function = node["function"]["function"] if isinstance(node["function"], dict) else None
    name = f"{getattr(function, '__module__', '')}.{getattr(function, '__name__', '')}"
    return name.startswith(_PATTERN_READER)


def pattern(node: Node) -> Node:
    """Return the schema of patterns: their text, or a form with their flags where they have any."""

    def write(value: re.Pattern[Any], info: Any) -> Any:
        is_plain = isinstance(value.pattern, str) and value.flags == re.UNICODE
        return value.pattern if is_plain else write_untyped(value, info.context)

    reader = {key: value for key, value in node.items() if key != "serialization"}
    return read_write(marked_or(reader), cs.plain_serializer_function_ser_schema(write, info_arg=True))


def open_class(cls: type, schema: Any, keeper: Keeper | None) -> Node:
    """Return a schema that pickles instances of a class's subclasses: its schema has not all their fields.

    Args:
        cls: The class.
        schema: Its schema.
        keeper: Says which of its instances have to be pickled as well; None pickles none of them.
    """

    def write(value: Any, handler: Callable[[Any], Any], info: Any) -> Any:
        if type(value) is not cls:
            return to_pickle(value, info.context)
        written = handler(value)
        if keeper is None or keeper.keeps(value, written):
            return written
        return to_pickle(value, info.context, reason="is changed by code of its own when it is read")

    return read_write(
        marked_or(schema), cs.wrap_serializer_function_ser_schema(write, schema=schema, info_arg=True)
    )


def sorted_writer() -> Any:
    """Return a writer of sets in an order that is the same in every process."""

    def write(value: Any, handler: Callable[[Any], list[Any]]) -> list[Any]:
        items = handler(value)
        if set(map(type, items)) in ({str}, {int}):
            return sorted(items)
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))

    return cs.wrap_serializer_function_ser_schema(write)


def enum(node: Node) -> Node:
    """Write members whose values JSON may not hold by name."""
    kinds = {type(member.value) for member in node["members"]}
    cls = node["cls"]
    if kinds in ({str}, {int}) and not issubclass(cls, Flag):
        return node
    if issubclass(cls, Flag):
        return {
            **after(cls, {"type": "int"}),
            "serialization": plain_writer(lambda value: int(value.value)),
        }
    names = {"type": "literal", "expected": list(cls.__members__)}
    return {**after(cls.__getitem__, names), "serialization": plain_writer(lambda value: value.name)}


def distinct_union(members: list[Node], select: Callable[[Any], int]) -> Node:
    """Return a union whose members JSON tells apart, written by the member that `select` names."""
    by_value = {"type": "tagged-union", "choices": dict(enumerate(members)), "discriminator": select}
    return read_write({"type": "union", "choices": members}, plain_writer(lambda value: value, by_value))


def tagged_union(members: list[Node], select: Callable[[Any], int]) -> Node:
    """Return a union whose values carry the index of their member."""
    tagged = {i: json_object({MEMBER: {"type": "int"}, "value": member}) for i, member in enumerate(members)}
    untagged = {i: after(lambda found: found["value"], schema) for i, schema in tagged.items()}
    writer = plain_writer(lambda value: {MEMBER: select(value), "value": value}, _by_tag(tagged))
    return read_write(_by_tag(untagged), writer)


def _by_tag(choices: dict[int, Node]) -> Node:
    return {"type": "tagged-union", "choices": choices, "discriminator": MEMBER}
