"""Pickles of values: the last resort, in executors alone, and only where it is not refused."""

from __future__ import annotations

import base64
import contextvars
import dataclasses
import io
import pickle
from typing import Any

from upwell._types.content_digest import content_digest
from upwell._types.forms import form_named, form_of
from upwell._types.main_module import find, own_name, reference_to
from upwell._types.marks import MARK, PICKLE

pickle_refused_by: contextvars.ContextVar[str | None] = contextvars.ContextVar("upwell_no_pickle", default=None)
"""The environment whose code runs here, if it refuses pickles."""


class PickleLog:
    """What happened to the values without a schema while one message was encoded.

    Args:
        with_digest: Whether pickles carry a hash of their content.
        refused_by: The task's environment, if it refuses pickles.
    """

    __slots__ = ("failure", "refused_by", "types", "with_digest")

    def __init__(self, *, with_digest: bool, refused_by: str | None = None) -> None:
        self.with_digest = with_digest
        self.refused_by = refused_by
        self.types: list[type] = []
        """Types of the pickled values."""
        self.failure: Exception | None = None
        """Why a value could not be written; pydantic hides it."""


class UnwritableError(Exception):
    """A value cannot be written."""


class UnpicklableError(UnwritableError):
    """A value could not be pickled."""

    def __init__(self, value: object, cause: BaseException) -> None:
        super().__init__(
            f"a value of type {_name(type(value))} cannot be pickled ({type(cause).__name__}: {cause})"
        )


class PickleRefusedError(UnwritableError):
    """A value would have to be pickled where that is refused."""

    def __init__(self, kind: type, reason: str, environment: str) -> None:
        super().__init__(
            f"holds a {_name(kind)}, which {reason}, and environment {environment!r} has pickle=False"
        )


class UnreadablePickleError(Exception):
    """A pickled value could not be read, or must not be."""


def to_pickle(
    value: Any, log: PickleLog, *, because_of: type | None = None, reason: str = "has no schema"
) -> dict[str, str]:
    """Return the pickle object of a value.

    Args:
        value: The value.
        log: Where that is noted.
        because_of: The type for which it is pickled, where that is one of its parts.
        reason: Why it is, for the message where that is refused.

    Raises:
        UnpicklableError: it cannot be pickled; also kept in the log.
        PickleRefusedError: it must not be; kept in the log as well.
    """
    kind = because_of or type(value)
    refused_by = log.refused_by or pickle_refused_by.get()
    if refused_by is not None:
        log.failure = PickleRefusedError(kind, reason, refused_by)
        raise log.failure
    try:
        data = _dumps(value)
    except Exception as e:
        log.failure = UnpicklableError(value, e)
        raise log.failure from e
    log.types.append(kind)
    marked = {MARK: PICKLE, "data": base64.b64encode(data).decode()}
    if log.with_digest:
        marked["digest"] = content_digest(value, data)
    return marked


def from_pickle(marked: dict[str, Any], refused_by: str | None) -> Any:
    """Return the value of a pickle object.

    Raises:
        UnreadablePickleError: it cannot be unpickled here, or must not be. Not a validation error, which would
            let a union go on to read the object as something else.
    """
    refused_by = refused_by or pickle_refused_by.get()
    if refused_by is not None:
        raise UnreadablePickleError(f"it was pickled, and environment {refused_by!r} has pickle=False")
    try:
        return _Unpickler(io.BytesIO(base64.b64decode(marked["data"], validate=True))).load()
    except Exception as e:  # any code of the value's class may run here
        raise UnreadablePickleError(f"its pickle cannot be read here ({type(e).__name__}: {e})") from e


def _dumps(value: Any) -> bytes:
    import cloudpickle  # type: ignore[import-untyped]  # has no stubs; loaded here as most runs never need it

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # its base is untyped
        def reducer_override(self, obj: Any) -> Any:
            if obj is dataclasses.MISSING:  # a copy of it would break the dataclass that is pickled
                return "MISSING"
            if isinstance(obj, type) and (reference := reference_to(obj)) is not None:
                return find, reference
            form = form_of(type(obj))
            if form is not None and form.is_users:
                return _restore, (form.name, form.encode(obj))
            return super().reducer_override(obj)

    buffer = io.BytesIO()
    Pickler(buffer).dump(value)
    return buffer.getvalue()


class _Unpickler(pickle.Unpickler):
    """Finds classes of the script that runs where they are, rather than import it once more."""

    def find_class(self, module: str, name: str) -> Any:
        return super().find_class(own_name(module), name)


def _restore(name: str, encoded: Any) -> Any:
    return form_named(name).decode(encoded)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
