"""What a cache key was made of: kept beside the key, which tells nothing by itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from upwell._core.ids import digest

VERSION_CHARS = 40
"""What is kept of a version that the user gave; of a digest, 12 characters."""
DIGEST_CHARS = 12
INPUT_CHARS = 8
"""What is kept of an input's digest: enough to tell two apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyParts:
    """The parts of one key, small enough to travel with the action and to be kept with its result.

    Attributes:
        code: Digest of the `CodeDocument`, under which a blob holds it.
        version: The start of the version.
        how: How the version came about: `auto`, `override` or `policy`.
        inputs: The start of the digest of each input, by parameter.
    """

    code: str
    version: str
    how: str = "auto"
    inputs: dict[str, str] = field(default_factory=dict)


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
class CodeDocument:
    """All of a key but the inputs: the same for every call of a task, until its code changes.

    Attributes:
        task: Full name of the task.
        interface: Digest of the names and types of parameters and result.
        signature: The same, for people: a line for each.
        version: Version of the code.
        how: As in `KeyParts`.
        policies: What made the version, where policies did.
        salt: Part of the version.
        ignored: Parameters that do not count.
        parts: What the version was made of, where that is known.
    """

    task: str
    interface: str
    signature: tuple[str, ...] = ()
    version: str
    how: str = "auto"
    policies: tuple[str, ...] = ()
    salt: str = ""
    ignored: tuple[str, ...] = ()
    parts: tuple[CodePart, ...] = ()

    def dump(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> CodeDocument:
        """Read what `dump` gave; fields of later versions are left out.

        Raises:
            ValueError: it is something else.
        """
        try:
            body: dict[str, Any] = json.loads(text)
            parts = tuple(CodePart(**_known(CodePart, part)) for part in body.pop("parts", ()))
            return cls(**{k: _frozen(v) for k, v in _known(cls, body).items()}, parts=parts)
        except (TypeError, AttributeError) as e:
            raise ValueError(f"this is not the description of a task's code: {e}") from e

    @property
    def digest(self) -> str:
        """Name of the document."""
        return digest(self.dump())

    @property
    def label(self) -> str:
        """The start of the version, as lists show it."""
        return self.version[: VERSION_CHARS if self.how == "override" else DIGEST_CHARS]


def _known(kind: Any, body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name in kind.__dataclass_fields__}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
