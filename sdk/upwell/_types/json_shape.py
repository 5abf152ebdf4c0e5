"""Which kinds of JSON a type's values become: members of a union that share none need no tag."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from upwell._types.forms import form_of
from upwell._types.schema_tree import Node

Shape = frozenset[str]

ALL: Shape = frozenset({"null", "bool", "int", "float", "string", "array", "object"})
_STRING: Shape = frozenset({"string"})
_ARRAY: Shape = frozenset({"array"})
_OBJECT: Shape = frozenset({"object"})

_FIXED: dict[str, Shape] = {
    "none": frozenset({"null"}),
    "bool": frozenset({"bool"}),
    "int": frozenset({"int"}),
    "float": frozenset({"float", "string"}),  # nan and infinity are strings
    **dict.fromkeys(("str", "bytes", "date", "time", "datetime", "timedelta"), _STRING),
    **dict.fromkeys(("decimal", "uuid", "url", "multi-host-url", "complex"), _STRING),
    **dict.fromkeys(("list", "tuple", "set", "frozenset", "generator", "named-tuple", "deque"), _ARRAY),
    **dict.fromkeys(("dict", "typed-dict", "dataclass", "ordered-dict", "counter"), _OBJECT),
}
_SAME_AS_INNER = {"default", "function-after", "function-before", "function-wrap"}


def json_shape(node: Node, definitions: Mapping[str, Node]) -> Shape:
    """Return the kinds of JSON that the values of a schema can become; everything when it cannot be told."""
    kind = node["type"]
    if "serialization" in node or ("cls" in node and form_of(node["cls"]) is not None):
        return ALL
    if kind in _FIXED:
        is_bare_list = kind == "list" and node.get("items_schema", {"type": "any"})["type"] == "any"
        return _FIXED[kind] | _OBJECT if is_bare_list else _FIXED[kind]  # a bare list may be pickled as a whole
    if kind in _SAME_AS_INNER:
        return json_shape(node["schema"], definitions)
    if kind == "nullable":
        return json_shape(node["schema"], definitions) | {"null"}
    if kind == "definition-ref":
        target = definitions[node["schema_ref"]]
        return json_shape(target, definitions) if target["type"] in ("model", "dataclass", "enum") else ALL
    if kind == "model":
        return ALL if node.get("root_model") else _OBJECT
    if kind == "literal":
        return _shape_of_values(node["expected"])
    if kind == "enum":
        return _shape_of_values([member.value for member in node["members"]]) | _STRING
    if kind == "union":
        return frozenset().union(*(json_shape(choice, definitions) for choice in choices_of(node)))
    return ALL


def choices_of(node: Node) -> list[Node]:
    """Return the members of a union, without their labels."""
    return [choice[0] if isinstance(choice, tuple) else choice for choice in node["choices"]]


def are_distinct(shapes: list[Shape]) -> bool:
    """Say whether no two of the shapes overlap."""
    return sum(map(len, shapes)) == len(frozenset().union(*shapes))


def _shape_of_values(values: list[Any]) -> Shape:
    return frozenset(_shape_of_value(value) for value in values)


def _shape_of_value(value: Any) -> str:
    if isinstance(value, Enum):
        return "string" if isinstance(value.value, str) else "int"
    if value is None:
        return "null"
    return {bool: "bool", int: "int"}.get(type(value), "string")
