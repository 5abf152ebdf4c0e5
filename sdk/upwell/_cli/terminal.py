"""What is written where: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


ESCAPE = "\x1b"
"""Begins what moves a terminal's cursor or changes its colours."""


def out() -> Console:
    """Return the console of results."""
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, soft_wrap=True)


def err() -> Console:
    """Return the console of messages; long lines are left to the terminal to wrap."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """Print one JSON document, at once: who reads it may wait for it."""
    print(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False), flush=True)


def print_json_line(document: Any) -> None:
    """Print one JSON document in one line, at once: who reads it follows something."""
    print(json.dumps(document, ensure_ascii=False, allow_nan=False), flush=True)


def note(text: str, style: str = "dim") -> None:
    """Tell the person something that is not a result."""
    err().print(plain(text, style))


def plain(text: str, style: str = "") -> Text:
    """Return text in which brackets have no meaning, and escape sequences none but that of colours."""
    from rich.text import Text

    return Text.from_ansi(text, style=style) if ESCAPE in text else Text(text, style=style)


def one_line(text: str, at_most: int = 1000) -> str:
    """Return a text in one line, cut if it is very long."""
    line = " ".join(text.split())
    return line if len(line) <= at_most else line[: at_most - 4] + " ..."
