"""The hash functions of frames that came out of a task whose return type names one.

The frame is an ordinary object then, and the next task's type says nothing of a hash: the object does. The
function is kept and not its result, so that a frame that was changed in between counts as changed.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

_functions: dict[int, tuple[weakref.ref[Any], Callable[[Any], str]]] = {}


def remember(frame: Any, function: Callable[[Any], str]) -> None:
    """Note the hash function of a frame for as long as the frame lives."""
    key = id(frame)
    _functions[key] = weakref.ref(frame, lambda _: _functions.pop(key, None)), function


def recall(frame: Any) -> Callable[[Any], str] | None:
    """Return the hash function of a frame; None when it has none."""
    known = _functions.get(id(frame))
    return known[1] if known is not None and known[0]() is frame else None
