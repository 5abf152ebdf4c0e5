"""What files and directories have in common: a pydantic model that names data and does not hold it."""

from __future__ import annotations

import os
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

_WEB = ("http://", "https://")


class Reference(BaseModel):
    """A reference to data in object storage. Making one copies nothing.

    Attributes:
        path: URI (`s3://bucket/key`) or local path.
        name: Last part of the path unless given.
        format: Free text about the content, for the program's own use.
        hash: Given by the program; it counts in cache keys and action ids instead of all else.
        digest: Of the content, where it has passed through here: as it was uploaded or written. It counts
            instead of the path. What replaces the content elsewhere leaves it as it is.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    path: str
    name: str | None = None
    format: str = ""
    hash: str | None = None
    digest: str | None = None

    @field_validator("path", mode="before")
    @classmethod
    def _accept_paths(cls, path: Any) -> Any:
        return os.fspath(path) if isinstance(path, os.PathLike) else path

    def model_post_init(self, context: Any, /) -> None:
        """Derive the name from the path."""
        if self.name is None:
            path = self.path.partition("?")[0] if self.path.startswith(_WEB) else self.path
            self.name = path.rstrip("/").rsplit("/", 1)[-1]

    def identity(self) -> tuple[str, str]:
        """Return what counts as this reference's value in cache keys and action ids."""
        return identity(self.path, self.hash, self.digest)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reference):
            return NotImplemented
        return _kind(self) is _kind(other) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def _fields(self) -> tuple[str, str | None, str, str | None]:
        return self.path, self.name, self.format, self.hash


def identity(path: str, given: str | None, digest: str | None) -> tuple[str, str]:
    """Return what counts of a reference: the hash that its program gave, else its content's, else its path."""
    if given:
        return "hash", given
    return ("digest", digest) if digest else ("path", path)


def _kind(reference: Reference) -> type:
    """Return the class without its parameters: what `File[T]` says of content is not part of the value."""
    origin: type | None = type(reference).__pydantic_generic_metadata__["origin"]
    return origin or type(reference)
