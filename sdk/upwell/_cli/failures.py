"""Errors as the command line shows them: one line that says what, where and what to do; and the exit code.

Exit codes: 0 done, 1 failure, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import traceback

import typer

from upwell._cli.terminal import err, note, one_line, plain
from upwell.errors import UpwellError, UsageError

DONE, FAILURE, USAGE, INTERRUPTED = 0, 1, 2, 130

ParsingError: type[Exception] = typer.BadParameter.__mro__[2]
"""What every error of parsing a command line is. typer does not export it under a name."""


class TracedError(UpwellError):
    """A failure of the user's code.

    Attributes:
        remote_traceback: The frames of the user's code, where there are any.
    """

    def __init__(self, message: str, remote_traceback: str = "") -> None:
        super().__init__(message)
        self.remote_traceback = remote_traceback


class RunFailedError(TracedError):
    """A run ended, and not with success."""


class ProgramError(TracedError):
    """The user's file could not be imported."""


class InterruptedRunError(UpwellError):
    """The person stopped waiting; the message says what becomes of the run."""


def report(error: BaseException, *, debug: bool) -> int:
    """Show an error on stderr and return the exit code."""
    if isinstance(error, KeyboardInterrupt):
        _show("interrupted")
        return INTERRUPTED
    if debug:
        note("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, ParsingError):
        _show(_parsing_text(error))
        return USAGE
    if isinstance(error, UpwellError):
        _show(str(error))
        if isinstance(error, TracedError) and error.remote_traceback:
            note(error.remote_traceback.rstrip())
        if isinstance(error, InterruptedRunError):
            return INTERRUPTED
        return USAGE if isinstance(error, UsageError) else FAILURE
    hint = "" if debug else "; run with --debug for the traceback"
    _show(f"unexpected {type(error).__name__}: {error}{hint}")
    return FAILURE


def _show(message: str) -> None:
    err().print(plain("error: ", "bold red") + plain(one_line(message)))


def _parsing_text(error: Exception) -> str:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    text = message[:1].lower() + message[1:].rstrip(".")
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "upwell")
    return f"{text}; `{path} --help` says what there is"
