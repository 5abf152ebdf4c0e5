"""A version of code, the parts that it is made of, and how both are written down."""

from __future__ import annotations

import json
from dataclasses import dataclass

from upwell._core.key_parts import CodePart

__all__ = ["CodePart", "CodeVersion"]


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
