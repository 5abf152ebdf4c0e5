"""What a function does, as a hash: for cache versions and for the identity of traces."""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable
from functools import cache
from types import CodeType
from typing import Any

from upwell._author.syntax import parse


@cache
def body_digest(func: Callable[..., Any]) -> str:
    """Return the hash of a function's code: SHA-256 in hex.

    It is that of the syntax tree, decorators included: comments, layout and the place in the file do not count.
    Where there is no source text (an interactive session), it is that of the byte code.
    """
    wrapped = inspect.unwrap(func)
    try:
        text = ast.dump(parse(textwrap.dedent(inspect.getsource(wrapped))))
    except (OSError, TypeError, SyntaxError):
        text = code_text(getattr(wrapped, "__code__", None), wrapped)
    return hashlib.sha256(text.encode()).hexdigest()


def code_text(code: CodeType | None, func: object) -> str:
    """Return the text that stands for byte code, wherever it is from; without any, the name of the type."""
    if code is None:
        kind = type(func)
        return f"{kind.__module__}.{kind.__qualname__}"
    constants = [code_text(c, c) if isinstance(c, CodeType) else _constant_text(c) for c in code.co_consts]
    return repr((code.co_name, code.co_code.hex(), code.co_names, code.co_varnames, constants))


def _constant_text(value: object) -> str:
    """Return a constant's text; that of a set does not depend on the hash seed."""
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)
