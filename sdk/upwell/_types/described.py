"""Pydantic's own schemas of types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typing_extensions
from pydantic import TypeAdapter

from upwell._types.schema_tree import Node


def describe_values(types: Mapping[str, Any], names: Mapping[str, Any]) -> Node:
    """Return pydantic's schema of a dict with values of these types.

    Args:
        types: Type of each value.
        names: Local names that string annotations in these types may mean.

    Raises:
        PydanticUserError, TypeError, NameError, LookupError: pydantic cannot describe one of the types.
    """
    make_typed_dict: Any = typing_extensions.TypedDict
    described = make_typed_dict("Values", dict(types))
    described.__pydantic_config__ = {"arbitrary_types_allowed": True, "defer_build": True}
    adapter: TypeAdapter[Any] = TypeAdapter(described)
    adapter.rebuild(_types_namespace=dict(names))
    return dict(adapter.core_schema)
