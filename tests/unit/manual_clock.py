"""Time that passes when a test says so."""

from __future__ import annotations

import asyncio


class ManualClock:
    """A clock that stands still until it is advanced."""

    def __init__(self) -> None:
        self._now = 0.0
        self.sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, delay_s: float) -> None:
        sleeper = (self._now + delay_s, asyncio.Event())
        self.sleepers.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            self.sleepers.remove(sleeper)

    async def advance(self, duration_s: float) -> None:
        self._now += duration_s
        for due_at, woken in self.sleepers:
            if due_at <= self._now:
                woken.set()
        await settle()


async def settle() -> None:
    """Let every coroutine run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)
