"""The heads of frames: records as JSON. Both ends run the same code, so there are no versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

from upwell._core.model import ErrorInfo, Status
from upwell._core.phases import NOTHING, Phases

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Init:
    """What a process becomes when it is forked."""

    code: str
    """Folder of the unpacked bundle."""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Head of an answer.

    Attributes:
        error: How the child failed.
        refused: The engine's own refusal, which the program can do something about: class and message.
        ran_s: How long the child ran, where a map measures that.
        cancelled: The request was cancelled.
    """

    error: ErrorInfo | None = None
    refused: tuple[str, str] | None = None
    ran_s: float = 0.0
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Head of an attempt's end.

    Attributes:
        status: SUCCEEDED, FAILED or TIMED_OUT; ABORTED when it was stopped, QUEUED when a service was out of
            reach.
        error: With all but the first.
        ran_s: See `boundary.Ended`.
        ahead: See `boundary.Ended`.
        traces_left: See `boundary.Ended`.
        phases: See `boundary.Ended`.
        stuck: A thread of the task goes on, and nothing can stop it but the end of the process.
    """

    status: Status
    error: ErrorInfo | None = None
    ran_s: float = 0.0
    ahead: tuple[str, ...] = ()
    traces_left: tuple[str, ...] = ()
    phases: Phases = NOTHING
    stuck: bool = False


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def dump(value: object) -> bytes:
    """Return a record as JSON."""
    return _adapter(cast(Any, type(value))).dump_json(value, exclude_defaults=True)


def load(kind: type[T], head: bytes) -> T:
    """Read a record."""
    return cast(T, _adapter(cast(Any, kind)).validate_json(head))
