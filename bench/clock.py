"""A clock that moves only when nothing else does: hours of waiting take as long as what is computed in them."""

from __future__ import annotations

import asyncio
import heapq
from inspect import iscoroutinefunction
from itertools import count
from typing import Any

START_S = 1_700_000_000.0
QUIET_TURNS = 10
"""Turns of the event loop without a new sleeper, after which everybody waits for time to pass."""


class EventClock:
    """The `Clock` port over simulated time: each step goes to the next instant that somebody waits for."""

    def __init__(self) -> None:
        self._now = START_S
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._slept = 0
        self.requests = 0
        """Requests under way: time stands still until they are answered."""

    def now(self) -> float:
        """Return the simulated time."""
        return self._now

    async def sleep(self, delay_s: float) -> None:
        """Return after so many simulated seconds."""
        self._slept += 1
        due: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + delay_s, next(self._numbers), due))
        await due

    async def run(self) -> None:
        """Let time pass, until cancelled."""
        while True:
            quiet, seen = 0, -1
            while quiet < QUIET_TURNS:
                quiet = quiet + 1 if seen == self._slept and not self.requests else 0
                seen = self._slept
                await asyncio.sleep(0)
            if not self._sleepers:
                await asyncio.sleep(0.001)
                continue
            due_at, _, due = heapq.heappop(self._sleepers)
            if not due.done():
                self._now = max(self._now, due_at)
                due.set_result(None)


class Counted:
    """An adapter whose requests the clock waits for."""

    def __init__(self, adapter: Any, clock: EventClock) -> None:
        self._adapter = adapter
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._adapter, name)
        if not iscoroutinefunction(method):
            return method

        async def request(*args: Any, **kwargs: Any) -> Any:
            self._clock.requests += 1
            try:
                return await method(*args, **kwargs)
            finally:
                self._clock.requests -= 1

        return request
