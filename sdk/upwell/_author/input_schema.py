"""The inputs of a task as a JSON schema, for forms and clients."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from upwell._types.interface import Interface, Parameter


def input_schema(interface: Interface) -> dict[str, Any]:
    """Return an object schema with a property for each parameter; that of a type without a schema is empty."""
    parameters = interface.parameters.values()
    adapters = [(p.name, "validation", found) for p in parameters if (found := _adapter(p)) is not None]
    schemas, shared = TypeAdapter.json_schemas(adapters)  # type: ignore[arg-type]  # of a literal of two
    return {
        "type": "object",
        "properties": {p.name: _with_default(schemas.get((p.name, "validation"), {}), p) for p in parameters},
        "required": [p.name for p in parameters if p.default is inspect.Parameter.empty],
        "additionalProperties": False,
        **shared,
    }


def _adapter(parameter: Parameter) -> TypeAdapter[Any] | None:
    """Return what describes a parameter's type; None if it has no JSON."""
    try:
        adapter = TypeAdapter(parameter.annotation)
        adapter.json_schema()
    except (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError):
        return None
    return adapter


def _with_default(schema: dict[str, Any], parameter: Parameter) -> dict[str, Any]:
    if parameter.default is inspect.Parameter.empty:
        return schema
    try:
        return {**schema, "default": to_jsonable_python(parameter.default)}
    except PydanticSerializationError:
        return schema
