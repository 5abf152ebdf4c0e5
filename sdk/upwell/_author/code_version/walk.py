"""Finds what a function's result can depend on in the user's own code."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from upwell._author.code_version.version import CodePart, CodeVersion
from upwell._author.registry import importable_name
from upwell._author.source import body_digest


def version_of(func: Callable[..., Any], root: Path | None = None) -> CodeVersion:
    """Return the version of a function's code, and of all own code that it reaches.

    Args:
        func: The function.
        root: The folder that the user's modules are below; by default that of the script that runs.
    """
    wrapped = inspect.unwrap(func)
    try:
        source = textwrap.dedent(inspect.getsource(wrapped))
    except (OSError, TypeError):
        source = "(no source text)\n"
    digest = body_digest(func)
    module = importable_name(wrapped.__module__, root)
    part = CodePart(name=f"{module}:{wrapped.__qualname__}", kind="function", digest=digest, source=source)
    return CodeVersion(digest=digest, parts=(part,))
