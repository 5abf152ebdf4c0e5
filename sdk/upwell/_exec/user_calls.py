"""Awaits functions of the user's, which may do anything, `sys.exit` included."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from upwell import errors


def is_ours() -> bool:
    """Whether the attempt was cancelled, rather than something in it by its own code."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def guarded(func: Callable[..., Awaitable[Any]], args: Iterable[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call a function; keep `sys.exit` in it from ending the event loop that runs the others."""
    try:
        return await func(*args, **kwargs)
    except SystemExit as e:
        raise exited(e) from None


def exited(exit_: SystemExit) -> errors.RuntimeUserError:
    """Return the failure of a task that called `sys.exit`."""
    error = errors.RuntimeUserError("SystemExit", f"the task called sys.exit({exit_.code!r})")
    return error.with_traceback(exit_.__traceback__)


async def over(call: asyncio.Task[Any]) -> Any:
    """Await a task of our own making; cancelling us cancels it, and waits until it is over."""
    try:
        return await call
    except asyncio.CancelledError:
        if not call.done():
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        raise
