"""What a caller may pass: pydantic's rules without its conversions between unrelated types.

`"3"` is no int and a list is no tuple, but an int is a float, a dict becomes the model or dataclass that is
declared, and a naive datetime is read as UTC. Models keep their own rules: they said what they accept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from pydantic_core import PydanticCustomError, SchemaValidator
from pydantic_core import core_schema as cs

from upwell._types.forms import form_of
from upwell._types.frames import frame_wire
from upwell._types.frames.frame_reference import FrameReference
from upwell._types.reference import Reference
from upwell._types.schema_tree import Node, map_children, split_definitions, with_definitions, without_ref

_COLLECTIONS = {"list", "tuple", "set", "frozenset", "dict"}
_STRICT = {"int", "float", "str", "bool", "bytes", "date", "time", "datetime", "timedelta"} | _COLLECTIONS
_COMPOSED = {"lax-or-strict", "json-or-python", "chain"}
_WRAPPERS = {"function-wrap", "function-after", "function-before"}


class StrictSchema:
    """The schema that checks Python values, made from the one that pydantic describes a type with."""

    def __init__(self, schema: Node) -> None:
        body, definitions = split_definitions(schema)
        self._structures = 0
        self._definitions = {
            ref: {**self._visit(without_ref(node)), "ref": ref} for ref, node in definitions.items()
        }
        self._body = map_children(body, self._visit)

    def validator(self) -> SchemaValidator:
        """Return the validator of the whole schema."""
        return self._build(self._body)

    def member_selector(self, choices: list[Node]) -> Callable[[Any], int]:
        """Return what says which member of a union a value belongs to, by pydantic's smart mode."""
        tagged = [
            cs.no_info_after_validator_function(lambda _, i=index: i, self._visit(choice))  # type: ignore[misc]  # a lambda's default is untyped
            for index, choice in enumerate(choices)
        ]
        classes = {choice["cls"]: index for index, choice in enumerate(choices) if "cls" in choice}
        built: list[SchemaValidator] = []

        def select(value: Any) -> int:
            if type(value) in classes:
                return classes[type(value)]
            if not built:
                built.append(self._build({"type": "union", "choices": tagged}))
            index: int = built[0].validate_python(value)
            return index

        return select

    def _build(self, body: Node) -> SchemaValidator:
        schema: Any = with_definitions(body, self._definitions)
        return SchemaValidator(schema, None, _use_prebuilt=False)

    def _visit(self, node: Node) -> Node:
        kind = node["type"]
        if has_users_form(node):
            return {"type": "is-instance", "cls": node["cls"]}
        if kind == "model":
            return _reference(node) if issubclass(node["cls"], Reference) else node
        if kind in _COMPOSED:
            return self._composed(node)
        if kind in ("dataclass", "typed-dict", "named-tuple", "call"):
            return self._structure(node)
        if kind == "is-instance" and frame_wire.is_frame_class(node):
            return frame_wire.checked_frame(node)
        changed = map_children(node, self._visit)
        if kind in _STRICT:
            changed.setdefault("strict", True)
        special = _SPECIAL.get(kind)
        if kind == "datetime" and self._structures:
            return changed
        return special(changed) if special else changed

    def _composed(self, node: Node) -> Node:
        """Leave what pydantic composes for abstract and library types as it is, but check what is inside."""
        if node["type"] in _COMPOSED or node["type"] in _WRAPPERS:
            return map_children(node, self._composed)
        return map_children(node, self._visit) if node["type"] in _COLLECTIONS else node

    def _structure(self, node: Node) -> Node:
        """Visit a type with fields. Datetimes in it stay as they are: its equality is the user's."""
        if node["type"] == "dataclass" and "__pydantic_validator__" in vars(node["cls"]):
            return node  # a dataclass of pydantic's own keeps its rules, as models do
        self._structures += 1
        changed = map_children(node, self._visit)
        self._structures -= 1
        if node["type"] == "typed-dict":
            keeps_extras(changed)
        return _dataclass(changed) if node["type"] == "dataclass" else changed


def keeps_extras(node: Node) -> bool:
    """Let a TypedDict that says nothing of other keys keep them, and say whether it does."""
    if node.get("extra_behavior", "ignore") != "ignore":
        return False
    node["extra_behavior"] = "allow"
    return True


def has_users_form(node: Node) -> bool:
    """Say whether a schema is that of a class for which the user registered a form."""
    form = form_of(node["cls"]) if "cls" in node else None
    return form is not None and form.is_users


def _reference(node: Node) -> Node:
    """Accept a File for `File[T]`: what T says of a file's content does not change the reference."""
    cls = node["cls"]
    if issubclass(cls, FrameReference):
        return frame_wire.checked_reference(node)
    origin = cls.__pydantic_generic_metadata__["origin"] or cls
    return {"type": "is-instance", "cls": origin, "cls_repr": origin.__name__}


def _dataclass(node: Node) -> Node:
    """Check the fields of instances too: a plain dataclass never did.

    One with `__post_init__` or fields that are not its own `__init__`'s is not: that code would run again.
    """
    cls = node["cls"]
    has_init_only = node["schema"].get("collect_init_only", False)
    if not (node.get("post_init") or has_init_only or any(not f.init for f in dataclasses.fields(cls))):
        node["revalidate_instances"] = "always"

    def keep_subclasses(value: Any, handler: Callable[[Any], Any]) -> Any:
        return value if type(value) is not cls and isinstance(value, cls) else handler(value)

    wrapped: Any = cs.no_info_wrap_validator_function(keep_subclasses, node)
    return dict(wrapped)


def _naive_is_utc(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _datetime(node: Node) -> Node:
    if node.get("tz_constraint") == "naive":
        return node
    return {
        "type": "function-after",
        "function": {"type": "no-info", "function": _naive_is_utc},
        "schema": node,
    }


def _literal(node: Node) -> Node:
    """Let a literal that mixes enum members with other values take any value of these types."""
    kinds = literal_types(node)
    if not is_mixed(kinds):
        return node
    return {"type": "union", "choices": [node, *({"type": "is-instance", "cls": kind} for kind in kinds)]}


def _decimal(node: Node) -> Node:
    return {"allow_inf_nan": True, **node}


def _frozen(node: Node) -> Node:
    """Take a set as well, the second choice: most people pass one where an abstract set is declared."""
    of_set = {
        "type": "function-before",
        "function": {"type": "no-info", "function": _set_alone},
        "schema": {**node, "strict": False},
    }
    return {"type": "union", "choices": [node, of_set]}


def _set_alone(value: Any) -> Any:
    if type(value) is set:
        return value
    raise PydanticCustomError("frozen_set_type", "Input should be a valid frozenset")


def _generator(node: Node) -> Node:
    return {
        "type": "function-after",
        "function": {"type": "no-info", "function": list},
        "schema": node,
    }


def literal_types(node: Node) -> list[type]:
    """Return the types of a literal's values, None left out, in order."""
    return [kind for kind in dict.fromkeys(type(value) for value in node["expected"]) if kind is not type(None)]


def is_mixed(kinds: list[type]) -> bool:
    """Say whether a literal mixes enum members with values of other types."""
    return len(kinds) > 1 and any(issubclass(kind, Enum) for kind in kinds)


_SPECIAL: dict[str, Callable[[Node], Node]] = {
    "datetime": _datetime,
    "literal": _literal,
    "decimal": _decimal,
    "generator": _generator,
    "frozenset": _frozen,
}
