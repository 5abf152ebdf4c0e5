"""Where sync code may wait for the engine, and where it may not."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from upwell._author.context import Engine


def is_on_a_loop() -> bool:
    """Whether an event loop runs in this thread: waiting would stop it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def settle(engine: Engine, work: Coroutine[Any, Any, object]) -> None:
    """Have the engine carry something out: at once, or, where nothing may wait, before the attempt ends."""
    if is_on_a_loop():
        engine.defer(work)
    else:
        engine.block_on(work)
