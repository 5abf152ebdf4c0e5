"""How many children of a limited task one parent has under way: no more than could run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from upwell._core.holds import limits_of
from upwell._core.model import Limit, TaskSpec


class Windows:
    """A window for each limit, so that ten thousand calls do not wait in a queue, going to and fro."""

    def __init__(self) -> None:
        self._windows: dict[Limit, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def entered(self, task: TaskSpec) -> AsyncIterator[bool]:
        """Enter the windows of a task, all in the same order; gives whether that took waiting."""
        async with AsyncExitStack() as stack:
            waited = False
            for limit in limits_of(task):
                window = self._windows.setdefault(limit, asyncio.Semaphore(limit.places))
                waited = waited or window.locked()
                await stack.enter_async_context(window)
            yield waited
