"""Exceptions to records and back: what a child raised is what its parent catches."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from types import TracebackType

from upwell import errors
from upwell._core.limits import ERROR_CODE_CHARS
from upwell._core.model import ErrorInfo
from upwell._core.sizes import cut

_OURS = (
    "/upwell/_exec/",
    "/upwell/_author/",
    "/upwell/_types/",
    "/upwell/io/",
    "/upwell/_local/",
    "/upwell/_aws/",
    "/asyncio/",
    "/concurrent/futures/",
)
_BY_CODE: dict[str, Callable[[str, str | None], errors.RuntimeUserError]] = {
    cls.__name__: cls
    for cls in (
        errors.OOMError,
        errors.ProcessDiedError,
        errors.ActionAbortedError,
        errors.TaskTimeoutError,
        errors.MaxRuntimeExceededError,
        errors.MaxQueuedTimeExceededError,
        errors.DeadlineExceededError,
        errors.RuntimeDataValidationError,
        errors.InlineIOMaxBytesBreached,
        errors.RetriesExhaustedError,
        errors.TaskInterruptedError,
        errors.SyncTaskCallInAsyncContextError,
        errors.TraceDoesNotAllowNestedTasksError,
        errors.NonDeterminismError,
        errors.RunawayRunError,
    )
}
_BY_CODE["DataValidationError"] = errors.RuntimeDataValidationError


def describe(error: BaseException, worker: str) -> ErrorInfo:
    """Return how an exception of a task's function is recorded.

    A failure that came from a child passes through with its own code, kind and traceback.
    """
    code, kind = type(error).__name__, "user"
    if isinstance(error, errors.BaseRuntimeError):
        code, kind = error.code, error.kind
    elif isinstance(error, MemoryError):
        code = "OOMError"
    return ErrorInfo(
        code=code[:ERROR_CODE_CHARS],
        message=cut(_message(error)),
        kind=kind,
        traceback=cut(_traceback(error), keep_end=True),
        recoverable=not isinstance(error, errors.NonRecoverableError),
        worker=worker,
    )


def revive(info: ErrorInfo) -> errors.BaseRuntimeError:
    """Return the exception that a parent sees for a recorded failure."""
    error: errors.BaseRuntimeError
    if info.kind == "system":
        error = errors.RuntimeSystemError(info.code, info.message, info.worker)
    elif info.code in _BY_CODE:
        error = _BY_CODE[info.code](info.message, info.worker)
    else:
        error = errors.RuntimeUserError(info.code, info.message, info.worker)
    error.remote_traceback = info.traceback or None
    if info.traceback:
        error.add_note(f"--- raised on {info.worker or 'an executor'}:\n{info.traceback.rstrip()}")
    return error


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as e:  # its own __str__ fails; that must not hide the error itself
        return f"(no message: {type(error).__name__}.__str__ raised {type(e).__name__})"


def _traceback(error: BaseException) -> str:
    if isinstance(error, errors.BaseRuntimeError) and error.remote_traceback:
        return error.remote_traceback
    frames = [f for f in traceback.extract_tb(_tb(error)) if not any(part in f.filename for part in _OURS)]
    text = "".join(traceback.format_list(frames))
    return "Traceback (most recent call last):\n" + text + "".join(traceback.format_exception_only(error))


def _tb(error: BaseException) -> TracebackType | None:
    return error.__traceback__
