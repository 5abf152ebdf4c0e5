"""How much runs at once in a worker."""

from __future__ import annotations

import asyncio
from collections import deque

from upwell._exec.sharing import Sharing


class Slots:
    """A bounded number of slots; parents that go on are served before new work.

    Args:
        size: Attempts that may run at once.
    """

    def __init__(self, size: int) -> None:
        self.sharing = Sharing(size)
        self._free = size
        self._resuming: deque[asyncio.Future[None]] = deque()
        self._starting: deque[asyncio.Future[None]] = deque()

    @property
    def free(self) -> int:
        """Slots that nobody holds."""
        return self._free

    async def acquire(self, *, resuming: bool = False) -> None:
        """Wait for a slot and take it.

        Args:
            resuming: The caller was parked: it is served before those that start something new.
        """
        if self._free > 0 and not self._resuming and (resuming or not self._starting):
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._resuming if resuming else self._starting).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def try_acquire(self, at_most: int) -> int:
        """Take up to so many slots that are free right now, and return how many."""
        taken = 0 if self._resuming or self._starting else min(self._free, at_most)
        self._free -= taken
        return taken

    def release(self, count: int = 1) -> None:
        """Give slots back."""
        self._free += count
        for waiting in (self._resuming, self._starting):
            while self._free > 0 and waiting:
                turn = waiting.popleft()
                if not turn.done():
                    self._free -= 1
                    turn.set_result(None)


class Slot:
    """The slot of one attempt. While its task waits for nothing but children, the slot is parked.

    Counts the waits in progress: the first one parks, the last one that ends takes a slot again before the
    task goes on.
    """

    def __init__(self, slots: Slots | None) -> None:
        self._slots = slots
        self._waits = 0
        self._held = slots is not None

    @property
    def sharing(self) -> Sharing | None:
        """How those that hold a slot share their executor; None where slots are not counted."""
        return None if self._slots is None else self._slots.sharing

    def park(self) -> None:
        """A wait begins."""
        self._waits += 1
        if self._waits == 1 and self._held and self._slots is not None:
            self._held = False
            self._slots.release()

    async def resume(self) -> None:
        """A wait ends."""
        self._waits -= 1
        if self._waits == 0 and not self._held and self._slots is not None:
            self._held = True
            try:
                await self._slots.acquire(resuming=True)
            except asyncio.CancelledError:
                self._held = False
                raise

    def close(self) -> None:
        """The attempt is over."""
        if self._held and self._slots is not None:
            self._slots.release()
        self._held = False
