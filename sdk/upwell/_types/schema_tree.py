"""Walking and changing pydantic core schemas without touching the originals, which classes share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Node = dict[str, Any]
"""One core schema, or one field or argument of one."""

_CHILD_KEYS = (
    "schema",
    "items_schema",
    "keys_schema",
    "values_schema",
    "extras_schema",
    "json_schema",
    "python_schema",
    "lax_schema",
    "strict_schema",
    "arguments_schema",
    "var_args_schema",
    "var_kwargs_schema",
    "return_schema",
    "steps",
    "choices",
    "fields",
    "serialization",
)
"""Keys that hold schemas. All others (defaults, expected values, classes, metadata) are the user's data."""


def map_children(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return a copy of a schema with `change` applied to each schema right below it."""
    copy = dict(node)
    for key in _CHILD_KEYS:
        if key in copy:
            copy[key] = _map(copy[key], change)
    return copy


def _map(value: Any, change: Callable[[Node], Node]) -> Any:
    if isinstance(value, dict):
        # A mapping of fields may have a field that is called `type`: there it is a schema, not a string.
        if isinstance(value.get("type"), str):
            return change(value)
        return {key: _map(child, change) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_map(child, change) for child in value)
    return value


def split_definitions(schema: Node) -> tuple[Node, dict[str, Node]]:
    """Return a schema's body and its shared definitions by name."""
    if schema["type"] != "definitions":
        return schema, {}
    return schema["schema"], {definition["ref"]: definition for definition in schema["definitions"]}


def with_definitions(body: Node, definitions: dict[str, Node]) -> Node:
    """Return the schema of a body and its shared definitions."""
    if not definitions:
        return body
    return {"type": "definitions", "schema": body, "definitions": list(definitions.values())}


def without_ref(node: Node) -> Node:
    """Return a schema without the name that a definition of it has."""
    return {key: value for key, value in node.items() if key != "ref"}
