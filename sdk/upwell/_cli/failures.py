"""Errors as the command line shows them: one line that says what, where and what to do; and the exit code.

Exit codes: 0 done, 1 failure (a run that timed out, too), 2 wrong usage, 124 what was waited for goes on after
`--timeout`, 130 interrupted.
"""

from __future__ import annotations

import traceback

import typer

from upwell._cli.elsewhere import OPTIONS
from upwell._cli.session import with_backend
from upwell._cli.terminal import err, note, one_line, plain
from upwell.errors import UpwellError, UsageError

DONE, FAILURE, USAGE, WAITED, INTERRUPTED = 0, 1, 2, 124, 130

ParsingError: type[Exception] = typer.BadParameter.__mro__[2]
"""What every error of parsing a command line is. typer does not export it under a name."""


_OURS = tuple(f"upwell{sep}_" for sep in "/\\")
"""What the paths of upwell's own modules have in them, on any executor."""


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


class WaitedTooLongError(UpwellError):
    """What was waited for was not over within `--timeout`; the message says what becomes of it."""


_CODES = {InterruptedRunError: INTERRUPTED, WaitedTooLongError: WAITED, UsageError: USAGE}


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
        _show(str(error) if isinstance(error, UsageError) else with_backend(str(error)))
        if isinstance(error, TracedError) and (frames := user_frames(error.remote_traceback)):
            note(frames)
        return next((code for kind, code in _CODES.items() if isinstance(error, kind)), FAILURE)
    hint = "" if debug else "; run with --debug for the traceback"
    _show(f"unexpected {type(error).__name__}: {error}{hint}")
    return FAILURE


def user_frames(text: str) -> str:
    """Return the text of a traceback without the frames of upwell's own code; nothing if no others are left."""
    kept, is_ours, has_others = [], False, False
    for line in text.rstrip().splitlines():
        if line.startswith("  File "):
            is_ours = any(part in line for part in _OURS)
            has_others = has_others or not is_ours
        elif not line.startswith("  "):
            is_ours = False
        if not is_ours:
            kept.append(line)
    return "\n".join(kept) if has_others else ""


def _show(message: str) -> None:
    err().print(plain("error: ", "bold red") + plain(one_line(message)))


def _parsing_text(error: Exception) -> str:
    option = getattr(error, "option_name", None)
    if option in OPTIONS:
        return f"there is no option {option}: {OPTIONS[option]}"
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    text = message[:1].lower() + message[1:].rstrip(".")
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "upwell")
    return f"{text}; `{path} --help` says what there is"
