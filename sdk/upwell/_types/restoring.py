"""Dataclasses whose own code runs when they are made: sent field by field, and restored to these fields.

Their `__post_init__` ran when the value was made. What it did to the fields is in what was sent and must not be
done again; but it may have set more than fields. So it runs, and then the fields get what was sent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from upwell._types.schema_tree import Node
from upwell._types.wire_nodes import CONFIG, after, plain_writer, read_write


def runs_code(node: Node) -> bool:
    """Say whether it is a dataclass, and making an instance of it is more than setting its fields."""
    if node["type"] != "dataclass":
        return False
    args = node["schema"]
    if args["type"] != "dataclass-args":  # a validator of the user's is around it
        return False
    has_more = any(not field.init for field in dataclasses.fields(node["cls"]))
    return bool(node.get("post_init") or args.get("collect_init_only") or has_more)


def init_only(node: Node) -> list[Node]:
    """Return the schemas of the arguments that only `__post_init__` gets."""
    return [field["schema"] for field in node["schema"]["fields"] if field.get("init_only")]


def restored(node: Node, schemas: Mapping[str, Node], share: Callable[[Node], Node]) -> Node:
    """Return the schema that writes the fields of a dataclass, and reads them into a new instance.

    Args:
        node: The dataclass.
        schemas: Of its fields, as they are to be written and read.
        share: Makes a schema usable in several places.
    """
    cls: Any = node["cls"]
    post_init = getattr(cls, "__post_init__", None) if node.get("post_init") else None
    defaults = [_default_of(schema) for schema in init_only(node)]
    if None in defaults:
        post_init = None  # it needs what was not kept
    required = {field.name for field in dataclasses.fields(cls) if field.init}

    def restore(found: dict[str, Any]) -> Any:
        instance = cls.__new__(cls)
        _set(instance, found)
        if post_init is not None:
            post_init(instance, *(make() for make in defaults if make is not None))
            _set(instance, found)
        return instance

    fields = {
        name: {
            "type": "typed-dict-field",
            "schema": schema,
            "required": name in required and schema["type"] != "default",
        }
        for name, schema in schemas.items()
    }
    sent = share({"type": "typed-dict", "fields": fields, "config": dict(CONFIG)})
    return read_write(after(restore, sent), plain_writer(sent_of, sent))


def sent_of(value: Any) -> dict[str, Any]:
    """Return what is sent of a dataclass: its fields."""
    names = [field.name for field in dataclasses.fields(value)]
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def _set(instance: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        object.__setattr__(instance, name, value)


def _default_of(schema: Node) -> Callable[[], Any] | None:
    """Return what makes the default of an argument, or None if it has none."""
    if schema["type"] != "default":
        return None
    if "default_factory" in schema:
        factory: Callable[[], Any] = schema["default_factory"]
        return factory
    return lambda: schema["default"]
