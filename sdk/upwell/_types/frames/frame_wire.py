"""The schemas of frames: how they are checked, written into a value's JSON, and read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic_core import core_schema as cs

from upwell._types.frames import frame_files, frame_hashes, frame_reading
from upwell._types.frames.frame_kinds import is_frame, kind_of
from upwell._types.frames.frame_reference import FrameReference
from upwell._types.marks import FILE, MARK
from upwell._types.pickled import to_pickle
from upwell._types.schema_tree import Node
from upwell._types.wire_nodes import after, json_object, literal, marked_or, read_write

HASH_KEY = "upwell_hash"
"""Where a node's metadata has the `HashFunction` that its annotation gives."""

_FIELDS: dict[str, Node] = {
    MARK: literal(FILE),
    "path": {"type": "str"},
    "columns": {"type": "any"},
    "num_rows": {"type": "nullable", "schema": {"type": "int"}},
    "data": {"type": "nullable", "schema": {"type": "str"}},
}


def is_frame_class(node: Node) -> bool:
    """Say whether a schema is that of instances of a class of frames."""
    return kind_of(node.get("cls")) is not None


def checked_frame(node: Node) -> Node:
    """Return the schema that takes a frame of any class, or a reference to one, for a class of frames."""

    def check(value: Any, handler: Callable[[Any], Any]) -> Any:
        return value if is_frame(value) or isinstance(value, FrameReference) else handler(value)

    wrapped: Any = cs.no_info_wrap_validator_function(check, cs.is_instance_schema(node["cls"]))
    return dict(wrapped)


def checked_reference(node: Node) -> Node:
    """Return the schema that takes a reference to a frame, or a frame, which it wraps."""
    cls = node["cls"]

    def check(value: Any, handler: Callable[[Any], Any]) -> Any:
        if is_frame(value):
            value, frame = cls(), value
            value._frame = frame
        return handler(value)

    wrapped: Any = cs.no_info_wrap_validator_function(check, cs.is_instance_schema(cls))
    return dict(wrapped)


def frame(node: Node) -> Node:
    """Return the schema that writes frames of a class as references, and reads them as that class."""
    cls, hash_frame = node["cls"], _hash_function(node)

    def write(value: Any, info: Any) -> Any:
        log = info.context
        if not is_frame(value) and not isinstance(value, FrameReference):
            return to_pickle(value, log)  # of a subclass
        try:
            return _written(value, hash_frame)
        except Exception as e:
            log.failure = e
            raise

    def read(found: dict[str, Any]) -> Any:
        value = frame_reading.read(FrameReference.model_validate(found), cls)
        if hash_frame is not None:
            frame_hashes.remember(value, hash_frame)
        return value

    schema = after(read, {**json_object(_FIELDS), "extra_behavior": "allow"})
    return read_write(marked_or(schema), cs.plain_serializer_function_ser_schema(write, info_arg=True))


def reference(node: Node) -> Node:
    """Return the schema of references to frames: what they hold in memory is written first."""
    hash_frame = _hash_function(node)

    def write(value: Any, handler: Callable[[Any], Any], info: Any) -> Any:
        try:
            frame_files.write(value, hash_frame)
        except Exception as e:
            info.context.failure = e
            raise
        return {MARK: FILE, **handler(value)}

    return {**node, "serialization": cs.wrap_serializer_function_ser_schema(write, info_arg=True)}


def _written(value: Any, hash_frame: frame_files.HashFrame | None) -> dict[str, Any]:
    if isinstance(value, FrameReference):
        frame_files.write(value, hash_frame)
    else:
        value = frame_files.inlined(value, hash_frame)
    return {MARK: FILE, **value.model_dump(mode="json")}


def _hash_function(node: Node) -> frame_files.HashFrame | None:
    found: frame_files.HashFrame | None = node.get("metadata", {}).get(HASH_KEY)
    return found
