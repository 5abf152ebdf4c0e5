"""Marks for values, as annotations of tasks. `upwell.io.register` teaches new types."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic_core import CoreSchema
from pydantic_core.core_schema import any_schema

from upwell._author.out_of_scope import PLUGINS, names_of

T = TypeVar("T")

__all__ = ["FlytePickle"]


class FlytePickle(Generic[T]):
    """Any value at all; what has no schema of its own is pickled. `T` is for readers alone."""

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> CoreSchema:
        """Take anything."""
        return any_schema()


__getattr__ = names_of("upwell.types", PLUGINS)
