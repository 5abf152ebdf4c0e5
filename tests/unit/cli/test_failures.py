"""What errors look like, and which exit codes they have."""

from __future__ import annotations

import pytest
import typer

from upwell import errors
from upwell._cli.failures import InterruptedRunError, ProgramError, RunFailedError, report, user_frames
from upwell._client import config

TRACEBACK = """Traceback (most recent call last):
  File "/home/me/flow.py", line 3, in main
    helper()
  File "/site-packages/upwell/_types/interface.py", line 179, in encode_output
    raise RuntimeDataValidationError("no")
    ~~~~~
  File "/home/me/flow.py", line 9, in helper
    raise ValueError("no")
ValueError: no"""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("wrong"), 2),
        (errors.NotDeployedError("nothing there"), 2),
        (errors.TaskNotFoundError("no such task"), 2),
        (typer.BadParameter("bad"), 2),
        (errors.RunNotFoundError("no such run"), 1),
        (errors.RunStateError("not now"), 1),
        (RunFailedError("it failed"), 1),
        (ProgramError("cannot be imported"), 1),
        (InterruptedRunError("interrupted"), 130),
        (KeyboardInterrupt(), 130),
        (KeyError("x"), 1),
    ],
)
def test_each_error_is_one_line_and_has_its_exit_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error, debug=False) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert len(shown.err.splitlines()) == 1


def test_the_commands_that_a_message_suggests_say_the_backend(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "_current", config.Config(mode="sandbox"))
    error = errors.RunStateError(
        "wait for it, or `upwell abort r1`; `upwell sandbox status`; `upwell recover r1 -f`"
    )
    report(error, debug=False)
    assert capsys.readouterr().err == (
        "error: wait for it, or `upwell abort r1 --backend sandbox`; `upwell sandbox status`; "
        "`upwell recover r1 -f --backend sandbox`\n"
    )
    monkeypatch.setenv("UPWELL_BACKEND", "sandbox")
    report(error, debug=False)
    assert "--backend" not in capsys.readouterr().err


def test_a_message_of_many_lines_becomes_one(capsys: pytest.CaptureFixture[str]) -> None:
    report(errors.UpwellError("first\n  second\n[red]third"), debug=False)
    assert capsys.readouterr().err == "error: first second [red]third\n"


def test_an_unexpected_error_names_the_way_to_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    report(KeyError("x"), debug=False)
    assert capsys.readouterr().err == "error: unexpected KeyError: 'x'; run with --debug for the traceback\n"


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise KeyError("x")
    except KeyError as e:
        report(e, debug=True)
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_failed_run_shows_the_users_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    report(RunFailedError("run r1 failed", TRACEBACK), debug=False)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "error: run r1 failed"
    assert lines[-1] == "ValueError: no"


def test_frames_of_our_own_are_left_out() -> None:
    shown = user_frames(TRACEBACK)
    assert "upwell" not in shown
    assert "~~~~~" not in shown
    assert "line 3, in main" in shown
    assert "line 9, in helper" in shown


def test_a_traceback_of_our_frames_alone_is_left_out() -> None:
    frame = '  File "/x/upwell/_exec/invoke.py", line 1, in f\n    f()'
    assert user_frames(f"Traceback (most recent call last):\n{frame}\nTypeError: no") == ""
