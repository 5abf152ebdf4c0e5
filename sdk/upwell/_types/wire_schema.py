"""The schema that writes values as JSON and reads them back to equal values of the same types.

It is pydantic's own schema of the type with the places changed where its JSON loses something: values of any
type or of classes without a schema, keys of dicts that are not strings, members of unions that look alike,
subclasses of models, nan, bytes, the order of sets. What is not changed runs in pydantic's compiled code.
"""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Callable
from enum import Enum, Flag
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import SchemaSerializer, SchemaValidator
from pydantic_core import core_schema as cs

from upwell._types.json_shape import are_distinct, choices_of, json_shape
from upwell._types.marks import FILE, MARK, MEMBER, PAIRS, PICKLE
from upwell._types.pickled import from_pickle, to_json_or_pickle, to_pickle
from upwell._types.reference import Reference
from upwell._types.schema_tree import Node, map_children, split_definitions, with_definitions, without_ref
from upwell._types.strict_schema import StrictSchema, is_mixed, literal_types

_CONFIG = {
    "ser_json_bytes": "base64",
    "val_json_bytes": "base64",
    "ser_json_timedelta": "iso8601",
    "ser_json_inf_nan": "strings",
}
"""How pydantic writes what JSON has no type for. Nested models have their own: see `_visit`."""
_UNORDERED = {"dict", "typed-dict", "ordered-dict", "counter", "model"}
"""Schemas whose equal values may give members in another order (a model may have extra ones)."""
_COMPOSED = {
    "lax-or-strict",
    "json-or-python",
    "chain",
    "union",
    "function-wrap",
    "function-after",
    "function-before",
}
_SECRET_WRITER = "_serialize_secret_field"
"""What writes stars for pydantic's secrets."""
_DICT_TYPES: dict[str, type] = {"dict": dict, "ordered-dict": OrderedDict, "counter": Counter}


class WireSchema:
    """The wire schema of one type or of the parameters of one function.

    Attributes:
        is_special: Whether values may have marks or logs: pickles, references, dicts as pairs.
        is_ordered: Whether equal values always give equal bytes.
    """

    def __init__(self, schema: Node, strict: StrictSchema) -> None:
        body, self._sources = split_definitions(schema)
        self._strict = strict
        self._definitions: dict[str, Node] = {}
        self.is_special = False
        self.is_ordered = True
        self._body = self._fields(body)
        self._schema: Any = with_definitions(self._body, self._definitions)

    def validator(self) -> SchemaValidator:
        """Return what reads JSON."""
        return SchemaValidator(self._schema, _CONFIG, _use_prebuilt=False)  # type: ignore[arg-type]  # a TypedDict

    def serializer(self) -> SchemaSerializer:
        """Return what writes JSON."""
        return SchemaSerializer(self._schema, _CONFIG, _use_prebuilt=False)  # type: ignore[arg-type]  # a TypedDict

    def _fields(self, body: Node) -> Node:
        """Visit the outermost structure, whose members are the parameters: their order is fixed."""
        return {**map_children(body, self._visit), "config": dict(_CONFIG)}

    def _visit(self, node: Node) -> Node:
        kind = node["type"]
        if kind in _UNORDERED:
            self.is_ordered = False
        if kind in ("lax-or-strict", "json-or-python"):
            return self._composed(node)
        special = _SPECIAL.get(kind)
        if special and "serialization" not in node:
            return special(self, node)
        changed = map_children(node, self._visit)
        if kind in ("model", "dataclass", "typed-dict", "named-tuple"):
            changed["config"] = {**node.get("config", {}), **_CONFIG}
        return changed

    # ---- shared parts ----------------------------------------------------------------------------------

    def _share(self, node: Node) -> Node:
        """Make a changed schema a definition, so that reading and writing can both use it."""
        ref = f"upwell:{len(self._definitions)}"
        self._definitions[ref] = {**node, "ref": ref}
        return {"type": "definition-ref", "schema_ref": ref}

    def _definition_ref(self, node: Node) -> Node:
        ref = node["schema_ref"]
        source = self._sources[ref]
        if source["type"] in ("model", "dataclass") and "serialization" not in source:
            return self._open_class(source)
        if ref not in self._definitions:
            self._definitions[ref] = node  # holds the place while the definition refers to itself
            self._definitions[ref] = {**self._visit(without_ref(source)), "ref": ref}
        return node

    # ---- values without a schema -----------------------------------------------------------------------

    def _opaque(self, node: Node) -> Node:
        self.is_special, self.is_ordered = True, False
        writer = cs.plain_serializer_function_ser_schema(_write_opaque, info_arg=True)
        return _read_write(_either(_PICKLE_OBJECT, {"type": "any"}), {"type": "any", "serialization": writer})

    def _container(self, node: Node) -> Node:
        """Write a bare list as one value: all JSON or all pickle, and no call per item."""
        items = node.get("items_schema", {"type": "any"})
        return self._opaque(node) if items["type"] == "any" else map_children(node, self._visit)

    def _open_class(self, node: Node) -> Node:
        """Pickle instances of subclasses of a declared class: its schema has not all their fields."""
        if issubclass(node["cls"], Reference):
            return self._reference(node)
        self.is_special = True
        ref = node.get("ref") or f"upwell:{len(self._definitions)}"
        if ref not in self._definitions:
            self._definitions[ref] = node
            changed = {**map_children(node, self._visit), "ref": ref}
            changed["config"] = {**node.get("config", {}), **_CONFIG}
            changed["serialization"] = _exact_class_writer(node["cls"])
            self._definitions[ref] = changed
        shared = {"type": "definition-ref", "schema_ref": ref}
        return _read_write(_either(_PICKLE_OBJECT, shared), shared)

    def _reference(self, node: Node) -> Node:
        self.is_special, self.is_ordered = True, False
        writer = cs.wrap_serializer_function_ser_schema(lambda value, handler: {MARK: FILE, **handler(value)})
        return {**node, "serialization": writer}

    # ---- collections -----------------------------------------------------------------------------------

    def _dict(self, node: Node) -> Node:
        keys, values = node.get("keys_schema", {"type": "any"}), node.get("values_schema", {"type": "any"})
        make = _DICT_TYPES[node["type"]]
        if make is dict and values["type"] == "any" and keys["type"] in ("any", "str"):
            return self._opaque(node)
        if keys["type"] in ("str", "int"):
            return map_children(node, self._visit)
        self.is_special = True
        pair = {
            "type": "tuple",
            "items_schema": [self._share(self._visit(keys)), self._share(self._visit(values))],
        }
        fields = _fields({MARK: _literal(PAIRS), "items": {"type": "list", "items_schema": pair}})
        writer = cs.plain_serializer_function_ser_schema(
            lambda value: {MARK: PAIRS, "items": list(value.items())},
            return_schema=fields,
        )
        return _read_write(
            _after(lambda d: make(dict(d["items"])), fields), {"type": "any", "serialization": writer}
        )

    def _set(self, node: Node) -> Node:
        writer = cs.wrap_serializer_function_ser_schema(_write_sorted)
        return {**map_children(node, self._visit), "serialization": writer}

    def _generator(self, node: Node) -> Node:
        return {"type": "list", "items_schema": self._visit(node.get("items_schema", {"type": "any"}))}

    # ---- choices ---------------------------------------------------------------------------------------

    def _union(self, node: Node) -> Node:
        choices = choices_of(node)
        if are_distinct([json_shape(choice, self._sources) for choice in choices]):
            return map_children(node, self._visit)
        select = self._strict.member_selector(choices)
        members = {
            index: _fields({MEMBER: {"type": "int"}, "value": self._share(self._visit(choice))})
            for index, choice in enumerate(choices)
        }
        readers = {index: _after(lambda d: d["value"], fields) for index, fields in members.items()}
        writer = cs.plain_serializer_function_ser_schema(
            lambda value: {MEMBER: select(value), "value": value},
            return_schema=_tagged(members),
        )
        return _read_write(_tagged(readers), {"type": "any", "serialization": writer})

    def _enum(self, node: Node) -> Node:
        """Write members whose values JSON may not hold by name."""
        kinds = {type(member.value) for member in node["members"]}
        cls = node["cls"]
        if kinds in ({str}, {int}) and not issubclass(cls, Flag):
            return node
        if issubclass(cls, Flag):
            return {
                **_after(cls, {"type": "int"}),
                "serialization": _plain_writer(lambda value: int(value.value)),
            }
        names = {"type": "literal", "expected": list(cls.__members__)}
        return {**_after(cls.__getitem__, names), "serialization": _plain_writer(lambda value: value.name)}

    def _literal(self, node: Node) -> Node:
        kinds = literal_types(node)
        if not any(issubclass(kind, (Enum, bytes)) for kind in kinds):
            return node
        members = [TypeAdapter(kind).core_schema for kind in kinds]
        if None in node["expected"]:
            members.append({"type": "none"})
        described: Node = {"type": "union", "choices": members}
        return self._visit(described if len(members) > 1 or is_mixed(kinds) else dict(members[0]))

    # ---- what pydantic composes for classes of the standard library -------------------------------------

    def _composed(self, node: Node) -> Node:
        """Change what is inside, but leave its own tests of Python objects: they never see JSON."""
        writer = node.get("serialization", {})
        if getattr(writer.get("function"), "__name__", "") == _SECRET_WRITER:
            return self._opaque(node)
        if node["type"] in ("is-instance", "is-subclass"):
            return node
        if node["type"] in _COMPOSED:
            changed = map_children(node, self._composed)
            if writer:
                changed["serialization"] = map_children(writer, self._visit)
            return changed
        return self._visit(node)

    def _decimal(self, node: Node) -> Node:
        return {"allow_inf_nan": True, **node}


_SPECIAL: dict[str, Callable[[WireSchema, Node], Node]] = {
    "any": WireSchema._opaque,
    "is-instance": WireSchema._opaque,
    "is-subclass": WireSchema._opaque,
    "callable": WireSchema._opaque,
    "list": WireSchema._container,
    "model": WireSchema._open_class,
    "dataclass": WireSchema._open_class,
    "definition-ref": WireSchema._definition_ref,
    "dict": WireSchema._dict,
    "set": WireSchema._set,
    "frozenset": WireSchema._set,
    "generator": WireSchema._generator,
    "union": WireSchema._union,
    "enum": WireSchema._enum,
    "literal": WireSchema._literal,
    "decimal": WireSchema._decimal,
    "ordered-dict": WireSchema._dict,
    "counter": WireSchema._dict,
}


def _read_write(read: Node, write: Node) -> Node:
    """Return a schema that reads by one schema and writes by another.

    Validators here are always lax, and pydantic writes by the strict side.
    """
    return {"type": "lax-or-strict", "lax_schema": read, "strict_schema": write}


def _either(first: Node, second: Node) -> Node:
    return {"type": "union", "choices": [first, second], "mode": "left_to_right"}


def _after(function: Callable[[Any], Any], schema: Node) -> Node:
    return {"type": "function-after", "function": {"type": "no-info", "function": function}, "schema": schema}


def _literal(value: str) -> Node:
    return {"type": "literal", "expected": [value]}


def _fields(fields: dict[str, Node]) -> Node:
    described = {name: {"type": "typed-dict-field", "schema": schema} for name, schema in fields.items()}
    return {"type": "typed-dict", "fields": described, "config": dict(_CONFIG)}


def _tagged(choices: dict[int, Node]) -> Node:
    return {"type": "tagged-union", "choices": choices, "discriminator": MEMBER}


_PICKLE_OBJECT = _after(from_pickle, _fields({MARK: _literal(PICKLE), "data": {"type": "str"}}))


def _plain_writer(function: Callable[[Any], Any]) -> Any:
    return cs.plain_serializer_function_ser_schema(function)


def _write_opaque(value: Any, info: Any) -> Any:
    return to_json_or_pickle(value, info.context)


def _exact_class_writer(cls: type) -> Any:
    def write(value: Any, handler: Callable[[Any], Any], info: Any) -> Any:
        return handler(value) if type(value) is cls else to_pickle(value, info.context)

    return cs.wrap_serializer_function_ser_schema(write, info_arg=True)


def _write_sorted(value: Any, handler: Callable[[Any], list[Any]]) -> list[Any]:
    return sorted(handler(value), key=lambda item: json.dumps(item, sort_keys=True))
