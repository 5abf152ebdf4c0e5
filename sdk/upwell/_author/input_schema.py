"""The inputs of a task as a JSON schema, for forms and clients."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from upwell._types.interface import Interface, Parameter


def input_schema(interface: Interface) -> dict[str, Any]:
    """Return an object schema with a property for each parameter."""
    parameters = interface.parameters.values()
    return {
        "type": "object",
        "properties": {parameter.name: _property(parameter) for parameter in parameters},
        "required": [p.name for p in parameters if p.default is inspect.Parameter.empty],
        "additionalProperties": False,
    }


def _property(parameter: Parameter) -> dict[str, Any]:
    try:
        schema = TypeAdapter(parameter.annotation).json_schema()
    except (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError):
        schema = {}
    if parameter.default is inspect.Parameter.empty:
        return schema
    try:
        return {**schema, "default": to_jsonable_python(parameter.default)}
    except PydanticSerializationError:
        return schema
