"""How many children of a limited task one parent has under way: no more than could run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import Context

from upwell._core.bounds import due_at
from upwell._core.children import unclaimed
from upwell._core.holds import limits_of
from upwell._core.model import ActionSpec, Limit
from upwell._core.ports import Clock


class Windows:
    """A window for each limit, so that ten thousand calls do not wait in a queue, going to and fro."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[Limit, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def entered(self, child: ActionSpec) -> AsyncIterator[bool]:
        """Enter the windows of a child's task, all in the same order; gives whether that took waiting."""
        async with AsyncExitStack() as stack:
            waited = False
            for limit in limits_of(child.task):
                window = self._windows.setdefault(limit, asyncio.Semaphore(limit.places))
                waited = waited or window.locked()
                await stack.enter_async_context(turn(window, child, self._clock))
            yield waited


@asynccontextmanager
async def turn(window: asyncio.Semaphore, child: ActionSpec, clock: Clock) -> AsyncIterator[None]:
    """Wait for room in a window, but no longer than the child may wait: then it is let through, to be ended.

    Args:
        window: Where there must be room.
        child: Who is to enter.
        clock: Measures its bounds.
    """
    due = due_at(unclaimed(child)) if window.locked() else None
    has_entered = await (window.acquire() if due is None else _acquire_by(window, due, clock))
    try:
        yield
    finally:
        if has_entered:
            window.release()


async def _acquire_by(window: asyncio.Semaphore, due: float, clock: Clock) -> bool:
    acquiring = asyncio.create_task(window.acquire(), context=Context())
    bound = asyncio.create_task(clock.sleep(max(0.0, due - clock.now())), context=Context())
    try:
        await asyncio.wait({acquiring, bound}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        if acquiring.done():
            window.release()
        raise
    finally:
        bound.cancel()
        acquiring.cancel()
    return acquiring.done()
