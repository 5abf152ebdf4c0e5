"""Many transfers at the same time, and no more in memory than a few."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

BUDGET_BYTES = 64 << 20
"""What the blobs that move at the same time may come to; a large one, whose parts take as much, moves alone."""


@dataclass(frozen=True, slots=True)
class Move:
    """A transfer to make.

    Attributes:
        size_bytes: Of what it moves.
        start: Makes it.
    """

    size_bytes: int
    start: Callable[[], Awaitable[None]]


async def move_all(moves: Iterable[Move], at_once: int, budget_bytes: int = BUDGET_BYTES) -> None:
    """Make transfers; the first failure cancels the others and is raised.

    Args:
        moves: In the order in which they are begun.
        at_once: Number of transfers at the same time.
        budget_bytes: Bytes in memory at the same time.
    """
    waiting = iter(moves)
    budget = _Budget(budget_bytes)

    async def work() -> None:
        for move in waiting:
            async with budget.share(move.size_bytes):
                await move.start()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


class _Budget:
    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = self._left = size_bytes
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def share(self, size_bytes: int) -> AsyncIterator[None]:
        cost = min(size_bytes, self._size_bytes)
        async with self._freed:
            await self._freed.wait_for(lambda: self._left >= cost)
            self._left -= cost
        try:
            yield
        finally:
            async with self._freed:
                self._left += cost
                self._freed.notify_all()
