"""The schema that writes values as JSON and reads them back to equal values of the same types.

It is pydantic's own schema of the type with the places changed where its JSON loses something: values of any
type or of classes without a schema, keys of dicts that are not strings, members of unions that look alike,
subclasses of models, nan, bytes, the order of sets. What is not changed runs in pydantic's compiled code.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Mapping
from enum import Enum
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import SchemaSerializer, SchemaValidator
from pydantic_core import core_schema as cs

from upwell._types import plain_forms  # noqa: F401  # registers them
from upwell._types.annotations import field_hints
from upwell._types.described import describe_values
from upwell._types.forms import form_of
from upwell._types.frames import frame_wire
from upwell._types.frames.frame_reference import FrameReference
from upwell._types.hooks import Keeper, has_hooks
from upwell._types.instants import with_whole_minutes
from upwell._types.json_shape import are_distinct, choices_of, json_shape
from upwell._types.marks import FILE, MARK, PAIRS
from upwell._types.reference import Reference
from upwell._types.restoring import restored, runs_code, sent_of
from upwell._types.schema_tree import Node, map_children, split_definitions, with_definitions, without_ref
from upwell._types.strict_schema import StrictSchema, has_users_form, is_mixed, keeps_extras, literal_types
from upwell._types.wire_nodes import (
    CONFIG,
    after,
    distinct_union,
    enum,
    is_pattern,
    json_object,
    literal,
    opaque,
    open_class,
    pattern,
    plain_writer,
    read_write,
    sorted_writer,
    tagged_union,
)

_UNORDERED = {"dict", "typed-dict", "ordered-dict", "counter"}
"""Schemas whose equal values may give members in another order."""
_COMPOSED = {
    "lax-or-strict",
    "json-or-python",
    "chain",
    "union",
    "function-wrap",
    "function-after",
    "function-before",
}
_SELF_CHECKING = {"none", "bool", "int", "float", "str", "bytes", "date", "time", "datetime", "timedelta"} | {
    "decimal",
    "uuid",
    "literal",
    "enum",
    "list",
    "tuple",
    "dict",
    "typed-dict",
}
"""Schemas that do not write values of other types, so that pydantic finds the right member of a union."""
_CLASSES = {"model", "dataclass", "enum", "named-tuple"}
"""Schemas of classes that a registered form goes before."""
_JSON_TYPES = (int, float, str, bool, list, dict, type(None))
_CHANGED_IN_ANY_CASE = {"function-plain", "model", "dataclass"}
"""Schemas that are changed although they have a serializer of their own."""
_SECRET_WRITER = "_serialize_secret_field"
"""What writes stars for pydantic's secrets."""
_DICT_TYPES: dict[str, type] = {"dict": dict, "ordered-dict": OrderedDict, "counter": Counter}


class WireSchema:
    """The wire schema of one type or of the parameters of one function.

    Args:
        schema: Pydantic's.
        strict: The schema that checks these values.
        names: Local names that string annotations in these types may mean.
        optional: Parameters that may be missing from what is read.

    Attributes:
        is_ordered: Whether equal values always give equal bytes, so that no canonical form is needed.
        moves_data: Whether writing or reading may move frames to or from storage, and takes its time.
        nests: Whether types mention themselves, so that values may be nested to any depth.
        has_text_keys: Whether there are dicts with strings as keys.
        pickled: Names of the types whose values are always pickled, by the parameter that they are in.
    """

    def __init__(
        self, schema: Node, strict: StrictSchema, names: Mapping[str, Any], optional: Collection[str] = ()
    ) -> None:
        body, self._sources = split_definitions(schema)
        self._strict = strict
        self._names = names
        self._definitions: dict[str, Node] = {}
        self.is_ordered = True
        self.moves_data = False
        self.nests = False
        self.has_text_keys = False
        self.pickled: dict[str, str] = {}
        self._to_pickle: list[str] = []
        self._body = self._fields(body, optional)
        self._schema: Any = with_definitions(self._body, self._definitions)

    def validator(self) -> SchemaValidator:
        """Return what reads JSON."""
        return SchemaValidator(self._schema, CONFIG, _use_prebuilt=False)  # type: ignore[arg-type]  # a TypedDict

    def serializer(self) -> SchemaSerializer:
        """Return what writes JSON."""
        return SchemaSerializer(self._schema, CONFIG, _use_prebuilt=False)  # type: ignore[arg-type]  # a TypedDict

    def _fields(self, body: Node, optional: Collection[str]) -> Node:
        """Visit the outermost structure, whose members are the parameters: their order is fixed."""
        fields = {}
        for name, field in body["fields"].items():
            fields[name] = {**map_children(field, self._visit), "required": name not in optional}
            if self._to_pickle:
                self.pickled[name] = self._to_pickle.pop()
                self._to_pickle.clear()
        return {**body, "fields": fields, "config": dict(CONFIG)}

    def _visit(self, node: Node) -> Node:
        kind = node["type"]
        if kind in _CLASSES and has_users_form(node):
            return self._opaque(node)
        if kind in _UNORDERED:
            self.is_ordered = False
        if kind in ("lax-or-strict", "json-or-python"):
            return self._composed(node)
        special = _SPECIAL.get(kind)
        if special and ("serialization" not in node or kind in _CHANGED_IN_ANY_CASE):
            return special(self, node)
        changed = map_children(node, self._visit)
        if kind in ("model", "dataclass", "named-tuple"):
            changed["config"] = {**node.get("config", {}), **CONFIG}
        return changed

    # ---- shared parts ----------------------------------------------------------------------------------

    def _share(self, node: Node) -> Node:
        """Make a changed schema a definition, so that reading and writing can both use it."""
        if node["type"] == "definition-ref":
            return node
        ref = f"upwell:{len(self._definitions)}"
        self._definitions[ref] = {**node, "ref": ref}
        return {"type": "definition-ref", "schema_ref": ref}

    def _definition_ref(self, node: Node) -> Node:
        self.nests = True
        ref = node["schema_ref"]
        source = self._sources[ref]
        if source["type"] in _CLASSES and has_users_form(source):
            return self._opaque(source)
        if source["type"] in ("model", "dataclass"):
            return self._open_class(source)
        if ref not in self._definitions:
            self._definitions[ref] = node  # holds the place while the definition refers to itself
            self._definitions[ref] = {**self._visit(without_ref(source)), "ref": ref}
        return node

    # ---- values without a schema -----------------------------------------------------------------------

    def _opaque(self, node: Node) -> Node:
        self.is_ordered = False
        if frame_wire.is_frame_class(node):
            self.moves_data = True
            return frame_wire.frame(node)
        return opaque(node["type"] if node["type"] in ("list", "dict") else "any")

    def _instance(self, node: Node) -> Node:
        """Write instances of a class that pydantic cannot describe in its form, or pickle them."""
        cls = node["cls"]
        if (
            form_of(cls) is None
            and not frame_wire.is_frame_class(node)
            and not any(issubclass(kind, cls) for kind in _JSON_TYPES)
        ):
            self._to_pickle.append(f"{cls.__module__}.{cls.__qualname__}")
        return self._opaque(node)

    def _code(self, node: Node) -> Node:
        """Pickle functions and classes."""
        self._to_pickle.append("function" if node["type"] == "callable" else "class")
        return self._opaque(node)

    def _container(self, node: Node) -> Node:
        """Write a bare list as one value: all JSON or all pickle, and no call per item."""
        items = node.get("items_schema", {"type": "any"})
        return self._opaque(node) if items["type"] == "any" else map_children(node, self._visit)

    def _open_class(self, node: Node) -> Node:
        """Pickle instances of subclasses of a declared class: its schema has not all their fields."""
        if issubclass(node["cls"], Reference):
            return self._reference(node)
        self.is_ordered = False
        ref = node.get("ref") or f"upwell:{len(self._definitions)}"
        if ref not in self._definitions:
            self._definitions[ref] = node
            is_restored = runs_code(node)
            changed = self._restored(node) if is_restored else map_children(node, self._visit)
            if not is_restored:
                changed["config"] = {**node.get("config", {}), **CONFIG}
            self._definitions[ref] = {**changed, "ref": ref}
        reference = {"type": "definition-ref", "schema_ref": ref}
        return open_class(node["cls"], reference, self._keeper(node, reference))

    def _keeper(self, node: Node, reference: Node) -> Keeper | None:
        is_restored = runs_code(node)
        if not is_restored and not has_hooks(node["cls"]):
            return None

        def reader() -> SchemaValidator:
            body = (
                self._definitions[reference["schema_ref"]]["json_schema"]["schema"]
                if is_restored
                else reference
            )
            schema: Any = with_definitions(body, self._definitions)
            return SchemaValidator(schema, CONFIG, _use_prebuilt=False)  # type: ignore[arg-type]  # a TypedDict

        return Keeper(reader, sent_of if is_restored else None)

    def _model_field(self, node: Node) -> Node:
        """Send fields that the user's own documents leave out."""
        changed = map_children(node, self._visit)
        changed.pop("serialization_exclude", None)
        return changed

    def _restored(self, node: Node) -> Node:
        described = {
            field["name"]: field["schema"] for field in node["schema"]["fields"] if not field.get("init_only")
        }
        # Pydantic leaves out what is in no signature and has no default.
        hints = field_hints(node["cls"], self._names)
        missing = {f.name: hints[f.name] for f in dataclasses.fields(node["cls"]) if f.name not in described}
        if missing:
            body, definitions = split_definitions(describe_values(missing, self._names))
            self._sources.update({ref: d for ref, d in definitions.items() if ref not in self._sources})
            described |= {name: field["schema"] for name, field in body["fields"].items()}
        return restored(node, {name: self._visit(each) for name, each in described.items()}, self._share)

    def _reference(self, node: Node) -> Node:
        self.is_ordered = False
        if issubclass(node["cls"], FrameReference):
            self.moves_data = True
            return frame_wire.reference(node)
        writer = cs.wrap_serializer_function_ser_schema(lambda value, handler: {MARK: FILE, **handler(value)})
        return {**node, "serialization": writer}

    # ---- collections -----------------------------------------------------------------------------------

    def _dict(self, node: Node) -> Node:
        keys, values = node.get("keys_schema", {"type": "any"}), node.get("values_schema", {"type": "any"})
        make = _DICT_TYPES[node["type"]]
        if make is dict and values["type"] == "any" and keys["type"] in ("any", "str"):
            return self._opaque(node)
        if keys["type"] in ("str", "int"):
            self.has_text_keys |= keys["type"] == "str"
            return map_children(node, self._visit)
        pair = {
            "type": "tuple",
            "items_schema": [self._share(self._visit(keys)), self._share(self._visit(values))],
        }
        schema = json_object({MARK: literal(PAIRS), "items": {"type": "list", "items_schema": pair}})
        writer = plain_writer(lambda value: {MARK: PAIRS, "items": list(value.items())}, schema)
        return read_write(after(lambda found: make(dict(found["items"])), schema), writer)

    def _typed_dict(self, node: Node) -> Node:
        changed = map_children(node, self._visit)
        changed["config"] = {**node.get("config", {}), **CONFIG}
        return changed | {"extras_schema": opaque()} if keeps_extras(changed) else changed

    def _set(self, node: Node) -> Node:
        return {**map_children(node, self._visit), "serialization": sorted_writer()}

    def _generator(self, node: Node) -> Node:
        return {"type": "list", "items_schema": self._visit(node.get("items_schema", {"type": "any"}))}

    # ---- choices ---------------------------------------------------------------------------------------

    def _union(self, node: Node) -> Node:
        """Tag members that look alike in JSON; choose what to write where pydantic could choose wrongly."""
        choices = choices_of(node)
        changed = [self._visit(choice) for choice in choices]
        is_distinct = are_distinct([json_shape(choice, self._sources) for choice in choices])
        if is_distinct and all(
            choice["type"] in _SELF_CHECKING and "serialization" not in choice for choice in changed
        ):
            return {**node, "choices": changed}
        select = self._strict.member_selector(choices)
        shared = [self._share(choice) for choice in changed]
        return distinct_union(shared, select) if is_distinct else tagged_union(shared, select)

    def _enum(self, node: Node) -> Node:
        return enum(node)

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
            self._to_pickle.append("secret")
            return self._opaque(node)
        if node["type"] in ("is-instance", "is-subclass"):
            return node
        if node["type"] in _COMPOSED:
            changed = map_children(node, self._composed)
            if writer:
                changed["serialization"] = map_children(writer, self._visit)
            return changed
        if node["type"] == "list":  # written item by item, also where items may be anything
            return {**node, "items_schema": self._visit(node.get("items_schema", {"type": "any"}))}
        return self._visit(node)

    def _function(self, node: Node) -> Node:
        return pattern(node) if is_pattern(node) else map_children(node, self._visit)

    def _decimal(self, node: Node) -> Node:
        return {"allow_inf_nan": True, **node}

    def _instant(self, node: Node) -> Node:
        return {**node, "serialization": plain_writer(with_whole_minutes, without_ref(node))}


_SPECIAL: dict[str, Callable[[WireSchema, Node], Node]] = {
    "any": WireSchema._opaque,
    "is-instance": WireSchema._instance,
    "is-subclass": WireSchema._code,
    "callable": WireSchema._code,
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
    "datetime": WireSchema._instant,
    "time": WireSchema._instant,
    "function-plain": WireSchema._function,
    "typed-dict": WireSchema._typed_dict,
    "model-field": WireSchema._model_field,
    "dataclass-field": WireSchema._model_field,
    "ordered-dict": WireSchema._dict,
    "counter": WireSchema._dict,
}
