"""What a child raised is what its parent catches."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from upwell import errors
from upwell._core.limits import ERROR_TEXT_BYTES
from upwell._core.model import ErrorInfo
from upwell._exec.failure import describe, revive


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as e:
        return e


def test_an_exception_of_the_task_keeps_its_name_and_message() -> None:
    info = describe(raised(KeyError("id")), "worker-1")
    assert (info.code, info.message, info.kind, info.worker) == ("KeyError", "'id'", "user", "worker-1")
    assert info.recoverable
    assert "in raised" in info.traceback
    error = revive(info)
    assert type(error) is errors.RuntimeUserError
    assert error.code == "KeyError"
    assert str(error) == "'id'"
    assert error.remote_traceback == info.traceback
    assert "raised on worker-1" in error.__notes__[0]


@pytest.mark.parametrize(
    "kind",
    [
        errors.OOMError,
        errors.ActionAbortedError,
        errors.TaskTimeoutError,
        errors.MaxRuntimeExceededError,
        errors.MaxQueuedTimeExceededError,
        errors.DeadlineExceededError,
        errors.RuntimeDataValidationError,
        errors.InlineIOMaxBytesBreached,
        errors.RetriesExhaustedError,
        errors.SyncTaskCallInAsyncContextError,
        errors.TraceDoesNotAllowNestedTasksError,
    ],
)
def test_an_error_with_a_class_of_its_own_comes_back_as_it(
    kind: Callable[[str], errors.RuntimeUserError],
) -> None:
    error = revive(describe(raised(kind("why")), "w"))
    assert type(error) is kind
    assert error.code == kind("").code
    assert str(error) == "why"


def test_a_grandchilds_failure_passes_through_with_its_own_code_and_traceback() -> None:
    grandchild = revive(describe(raised(ValueError("deep")), "w1"))
    info = describe(raised(grandchild), "w2")
    assert (info.code, info.message) == ("ValueError", "deep")
    assert info.traceback == grandchild.remote_traceback


def test_a_failure_of_the_platform_stays_one() -> None:
    info = ErrorInfo(code="RuntimeSystemError", message="lost", kind="system")
    error = revive(info)
    assert type(error) is errors.RuntimeSystemError
    assert describe(raised(error), "w").kind == "system"


def test_running_out_of_memory_in_the_task_is_an_oom() -> None:
    assert type(revive(describe(raised(MemoryError()), "w"))) is errors.OOMError


def test_what_cannot_be_recovered_from_says_so() -> None:
    assert not describe(raised(errors.NonRecoverableError("no")), "w").recoverable


@pytest.mark.parametrize("text", ["x" * 100_000, "ä" * 100_000, "\udcff" * 100_000])
def test_long_texts_are_cut_to_what_a_record_holds(text: str) -> None:
    info = describe(raised(ValueError(text)), "w")
    for cut in (info.message, info.traceback):
        assert len(cut.encode()) <= ERROR_TEXT_BYTES + 20
    assert info.message.endswith("[...]")


def test_a_text_that_is_no_unicode_can_be_recorded() -> None:
    info = describe(raised(ValueError("a\udcffb")), "w")
    assert info.message == "a?b"
    info.traceback.encode()


def test_an_error_without_a_readable_message_is_recorded_all_the_same() -> None:
    class Mute(Exception):  # noqa: N818  # a user's class
        def __str__(self) -> str:
            raise RuntimeError

    info = describe(raised(Mute()), "w")
    assert info.code == "Mute"
    assert "Mute.__str__ raised RuntimeError" in info.message


def test_the_engines_own_frames_are_left_out() -> None:
    with pytest.raises(AttributeError) as caught:
        revive(None)  # type: ignore[arg-type]  # raises inside upwell._exec
    text = describe(caught.value, "w").traceback
    assert "test_failure.py" in text
    assert "_exec/failure.py" not in text
