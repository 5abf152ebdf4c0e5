"""Which results are kept, and under which version of the code."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast, runtime_checkable

from upwell._author.code_version.version import CodeVersion
from upwell._author.code_version.walk import version_of
from upwell._author.durations import Duration, to_seconds
from upwell._author.source import body_digest

Behavior = Literal["auto", "override", "disable"]
_ALIASES: dict[str, Behavior] = {
    "auto": "auto",
    "enable": "auto",
    "enabled": "auto",
    "on": "auto",
    "override": "override",
    "disable": "disable",
    "disabled": "disable",
    "off": "disable",
}


@dataclass(frozen=True, slots=True)
class VersionParameters:
    """What a cache policy may look at.

    Attributes:
        func: The task's function.
        image: The `image=` of its environment.
        declared_at: When the task was declared, epoch seconds: the text of a file that has changed since is not
            what this process runs. None is now.
    """

    func: Callable[..., Any]
    image: object = None
    declared_at: float | None = None


@runtime_checkable
class CachePolicy(Protocol):
    """Says which version of a task's code a result belongs to."""

    def get_version(self, salt: str, params: VersionParameters) -> str:
        """Return the version; results of another version are not used."""


@dataclass(frozen=True, slots=True)
class CodePolicy:
    """The version is all of the user's own code that the task's result can depend on.

    That is its function and, transitively, the functions, classes and module constants that it names.
    """

    def get_version(self, salt: str, params: VersionParameters) -> str:
        """Return the hash of the salt and the code."""
        return hashlib.sha256((salt + code_of(params).digest).encode()).hexdigest()


_versions: weakref.WeakKeyDictionary[Callable[..., Any], CodeVersion] = weakref.WeakKeyDictionary()


def code_of(params: VersionParameters) -> CodeVersion:
    """Return the code that a task's result can depend on; it is looked for once in a process."""
    if params.func not in _versions:
        _versions[params.func] = version_of(params.func, loaded_at=params.declared_at)
    return _versions[params.func]


@dataclass(frozen=True, slots=True)
class FunctionBodyPolicy:
    """The version is the code of the task's function alone, with its decorators, without comments and layout.

    What the function calls may change without changing it.
    """

    def get_version(self, salt: str, params: VersionParameters) -> str:
        """Return the hash of the salt and the code."""
        return hashlib.sha256((salt + body_digest(params.func)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Cache:
    """Whether results of a task are kept, and when a kept one may be used.

    Attributes:
        behavior: `auto` uses kept results, and so does `override` with a `version_override`; without one it
            computes anew and keeps the result. `disable` does neither. `enable` and `on` mean `auto`, `off`
            means `disable`.
        version_override: Version of the code, instead of the policies'.
        serialize: Of equal calls at the same time one computes; the others wait, and get its result. One that
            dies, or fails, is replaced by the next.
        ignored_inputs: Parameters whose values make no difference.
        salt: Part of the version.
        policies: Make the version together; by default `CodePolicy()`.
        max_age: Results that were kept longer ago are not used, and replaced; 0 is "of any age".

    Example:
        >>> Cache("auto", version_override="v1", ignored_inputs="verbose").ignored
        ('verbose',)
    """

    behavior: str
    version_override: str | None = None
    serialize: bool = False
    ignored_inputs: str | Sequence[str] = ()
    salt: str = ""
    policies: CachePolicy | Sequence[CachePolicy] | None = None
    max_age: Duration | None = None

    def __post_init__(self) -> None:
        if str(self.behavior).lower() not in _ALIASES:
            known = ", ".join(repr(alias) for alias in _ALIASES)
            raise ValueError(f"cache behavior {self.behavior!r} is unknown; use one of {known}")
        if self.max_age is not None:
            to_seconds(self.max_age, "Cache(max_age)")

    @property
    def max_age_s(self) -> float | None:
        """The age up to which a kept result is used, in seconds; None is any."""
        return None if self.max_age is None else to_seconds(self.max_age, "Cache(max_age)") or None

    @property
    def mode(self) -> Behavior:
        """`behavior` without its aliases."""
        return _ALIASES[str(self.behavior).lower()]

    @property
    def is_enabled(self) -> bool:
        """Whether results are kept at all."""
        return self.mode != "disable"

    @property
    def is_write_only(self) -> bool:
        """Whether results are kept, and kept ones not used."""
        return self.mode == "override" and self.version_override is None

    @property
    def how(self) -> str:
        """How the version comes about: `auto`, `override` (given here) or `policy`."""
        if self.version_override is not None:
            return "override"
        return "auto" if self.policies is None else "policy"

    @property
    def policy_names(self) -> tuple[str, ...]:
        """What makes the version, where policies were given."""
        if self.how != "policy":
            return ()
        given = [self.policies] if isinstance(self.policies, CachePolicy) else list(self.policies or ())
        return tuple(type(policy).__qualname__ for policy in given)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Parameters whose values make no difference."""
        return (self.ignored_inputs,) if isinstance(self.ignored_inputs, str) else tuple(self.ignored_inputs)

    @property
    def _policies(self) -> Sequence[CachePolicy]:
        if self.policies is None:
            return (CodePolicy(),)
        return (self.policies,) if isinstance(self.policies, CachePolicy) else self.policies

    def code_of(self, params: VersionParameters) -> CodeVersion | None:
        """Return the code that a version stands for, part by part; None if it does not go by a `CodePolicy`."""
        if not self.is_enabled or self.version_override is not None:
            return None
        return code_of(params) if any(isinstance(p, CodePolicy) for p in self._policies) else None

    def get_version(self, params: VersionParameters) -> str:
        """Return the version of a task's code.

        Raises:
            ValueError: a policy gives no text.
        """
        if self.version_override is not None:
            return str(self.version_override)
        policies = self._policies
        versions = [policy.get_version(self.salt, params) for policy in policies]
        for policy, version in zip(policies, versions, strict=True):
            if not isinstance(version, str) or not version:
                raise ValueError(f"cache policy {policy!r} gave the version {version!r}; it must give a text")
        return versions[0] if len(versions) == 1 else hashlib.sha256("\0".join(versions).encode()).hexdigest()


CacheRequest = Literal["auto", "override", "disable", "enable", "enabled", "disabled", "on", "off"] | Cache


def to_cache(request: CacheRequest) -> Cache:
    """Return what `cache=` asks for.

    Raises:
        TypeError: it is neither a word nor a `Cache`.
        ValueError: the word is unknown.
    """
    if isinstance(request, Cache):
        return request
    if not isinstance(request, str):
        raise TypeError(f"cache={request!r}: give 'auto', 'override', 'disable' or a Cache")
    return Cache(cast(str, request))
