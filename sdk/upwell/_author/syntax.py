"""Reads Python text."""

from __future__ import annotations

import ast
from contextlib import suppress

TRIES = 3


def parse(source: str | bytes) -> ast.Module:
    """Return the syntax tree of a module's text.

    CPython counts the depth of a parse in one place for the whole process, and fails where another one gets
    in between: that of another thread, or of the garbage collector, when something that it ends prints a
    traceback. So the same text is tried again.

    Raises:
        SyntaxError: it is not Python.
        ValueError: it has null bytes.
    """
    for _ in range(TRIES - 1):
        with suppress(SystemError):
            return ast.parse(source)
    return ast.parse(source)
