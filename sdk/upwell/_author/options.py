"""The settings of a task, after environment, decorator and override had their say."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from upwell._author.cache import Cache
from upwell._author.quantities import parse_bytes
from upwell._author.resources import Resources
from upwell._author.secret import Secret
from upwell._core.limits import MAX_INLINE_IO_BYTES, PLACES_MAX
from upwell._core.model import Bounds, RetryPolicy
from upwell._core.sizes import check_travelling

DEFAULT_POOL = "default"
"""The platform's own pool, for environments that ask for nothing special."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """How a task runs.

    Attributes:
        short_name: Name for display, where it is not the function's.
        retry: The user's retries.
        bounds: Time bounds.
        cache: Whether results are kept.
        max_inline_io_bytes: The largest inputs or outputs passed by value.
        max_concurrency: How many of its attempts run at once in the whole deployment; None is unlimited.
        resources: What it needs to run on.
        env_vars: Environment variables.
        secrets: Secrets.
        queue: Name of a queue; kept for display.
        interruptible: Whether it may run on spot capacity.
        off_pool: Whether it leaves the reusable pool of its environment.
        report: Whether it makes a report.
        docs: Documentation.
        links: Links for display.
        triggers: What starts it by itself.
        entrypoint: Hint for display: people start it.
        produces_artifacts: Whether its outputs are registered as artifacts.
    """

    short_name: str | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    bounds: Bounds = field(default_factory=Bounds)
    cache: Cache = field(default_factory=lambda: Cache("disable"))
    max_inline_io_bytes: int = MAX_INLINE_IO_BYTES
    max_concurrency: int | None = None
    resources: Resources | None = None
    env_vars: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[Secret, ...] = ()
    queue: str | None = None
    interruptible: bool = False
    off_pool: bool = False
    report: bool = False
    docs: object = None
    links: tuple[object, ...] = ()
    triggers: tuple[object, ...] = ()
    entrypoint: bool = False
    produces_artifacts: bool = False

    def __post_init__(self) -> None:
        check_travelling("env_vars", self.env_vars)


def to_inline_bytes(value: int | str) -> int:
    """Return `max_inline_io=` in bytes.

    Example:
        >>> to_inline_bytes("10Mi")
        10485760
    """
    return parse_bytes(value, "max_inline_io")


def to_max_concurrency(value: int | None, where: str) -> int | None:
    """Return `max_concurrency=`.

    Raises:
        TypeError: it is not a whole number.
        ValueError: it is below 1, or more than the places that can be kept.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{where}: max_concurrency={value!r} is no whole number; give 1 or more")
    if not 1 <= value <= PLACES_MAX:
        raise ValueError(
            f"{where}: max_concurrency={value} is not possible; give 1 to {PLACES_MAX}, or leave it out"
        )
    return value


def to_tuple(value: object) -> tuple[object, ...]:
    """Return one thing or several as a tuple."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def warn_ignored(where: str, given: Mapping[str, object]) -> None:
    """Warn once of settings that have no meaning on AWS Lambda and Fargate."""
    ignored = [name for name, value in given.items() if value is not None]
    if ignored:
        names = ", ".join(f"{name}=" for name in ignored)
        warnings.warn(f"{where}: {names} has no meaning here and is ignored", UserWarning, stacklevel=4)
