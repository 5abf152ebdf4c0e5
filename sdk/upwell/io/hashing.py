"""Content hashes that count in cache keys instead of paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from upwell._types.frames.frame_wire import HASH_KEY

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


class HashFunction:
    """A hash of content, given to `File.from_local` and `File.new_remote`, or to `Annotated` in a type.

    Example:
        >>> import hashlib
        >>> sha256 = HashFunction.from_fn(lambda data: hashlib.sha256(data).hexdigest())
        >>> sha256(b"abc")[:8]
        'ba7816bf'
    """

    def __init__(self, function: Callable[[Any], str]) -> None:
        self._function = function

    @classmethod
    def from_fn(cls, function: Callable[[Any], str]) -> HashFunction:
        """Return the hash that a function computes from content (the bytes, for files)."""
        return cls(function)

    def __call__(self, content: Any) -> str:
        """Return the hash of content.

        Raises:
            TypeError: the function returned no string.
        """
        result = self._function(content)
        if not isinstance(result, str):
            raise TypeError(f"a hash function must return a str, got {type(result).__name__} {result!r}")
        return result

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let the schema of an annotated type tell of this function; pydantic asks for it."""
        schema: Any = handler(source)
        return {**schema, "metadata": {**schema.get("metadata", {}), HASH_KEY: self}}


HashMethod = HashFunction | str
"""How a file gets its hash: computed from its content, or as it is."""
