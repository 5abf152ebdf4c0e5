"""A version of code, the parts that it is made of, and how both are written down."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePart:
    """A piece of the user's code that a function's result can depend on.

    Attributes:
        name: `<module>:<name>`, like `pkg.helpers:clean`. It is that of the file below the root folder, also of
            the script that runs, so that the same piece has the same name in every process. Names are unique
            within a version.
        kind: `function`, `class`, `constant` (whatever else a module assigns), `module` (a whole one),
            `registrations` (what a module puts into another's container of that name), or `value` (what a
            closure, or a session without files, holds).
        digest: Hash of what it says and of what its names mean; 64 hex digits. Layout, comments, docstrings
            and type hints without effect make no difference to it.
        source: What it says, for a reader and for a diff by lines: Python without comments and docstrings, in
            one layout, after comments that say what imported names are (`# np is numpy`). Without source text,
            it says that.
    """

    name: str
    kind: str
    digest: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeVersion:
    """What a function's result can depend on in the user's own code.

    Attributes:
        digest: Hash of all of it; 64 hex digits. Two versions with one digest are the same code, though a part
            may be in another module and then has another name.
        parts: The function itself first, then what it reaches, nearest first.

    Example:
        >>> part = CodePart(name="m:f", kind="function", digest="ab", source="def f(): ...")
        >>> version = CodeVersion(digest="cd", parts=(part,))
        >>> CodeVersion.from_json(version.to_json()) == version
        True
    """

    digest: str
    parts: tuple[CodePart, ...]

    def to_json(self) -> bytes:
        """Return it as JSON text, sources included: what is stored under `digest`."""
        parts = [[p.name, p.kind, p.digest, p.source] for p in self.parts]
        content = {"code": 1, "digest": self.digest, "parts": parts}
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> CodeVersion:
        """Return what `to_json` was called on.

        Raises:
            ValueError: it is no such text.
        """
        try:
            content = json.loads(data)
            parts = [
                CodePart(name=str(name), kind=str(kind), digest=str(digest), source=str(source))
                for name, kind, digest, source, *_ in content["parts"]
            ]
            return cls(digest=str(content["digest"]), parts=tuple(parts))
        except (KeyError, TypeError, ValueError) as e:
            raise ValueError(f"{data[:40]!r}... is not a version of code: {e}") from e

    def part(self, name: str) -> CodePart | None:
        """Return the part of this name, if there is one."""
        return next((part for part in self.parts if part.name == name), None)
