"""A clock for tests: real time, plus what was skipped."""

from __future__ import annotations

import asyncio
import heapq
import time
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass(order=True, slots=True)
class _Sleeper:
    due_at: float
    wake: asyncio.Event = field(compare=False)


class SkippingClock:
    """The `Clock` port with a `skip`: backoffs and delays of hours pass at once."""

    def __init__(self) -> None:
        self._skipped_s = 0.0
        self._sleepers: list[_Sleeper] = []

    def now(self) -> float:
        """Return real time plus everything skipped."""
        return time.time() + self._skipped_s

    async def sleep(self, delay_s: float) -> None:
        """Return after so many seconds of this clock."""
        sleeper = _Sleeper(self.now() + delay_s, asyncio.Event())
        heapq.heappush(self._sleepers, sleeper)
        try:
            while (left_s := sleeper.due_at - self.now()) > 0:
                sleeper.wake.clear()
                # Not `wait_for`: in Python 3.11 it forgets a cancellation that comes together with the event.
                with suppress(TimeoutError):
                    async with asyncio.timeout(left_s):
                        await sleeper.wake.wait()
        finally:
            self._sleepers = [s for s in self._sleepers if s is not sleeper]
            heapq.heapify(self._sleepers)

    def skip(self, duration_s: float) -> None:
        """Let time pass at once."""
        self._skipped_s += duration_s
        for sleeper in self._sleepers:
            sleeper.wake.set()

    def skip_to_next(self) -> bool:
        """Skip to when the next sleeper is due; return whether there is one."""
        if not self._sleepers:
            return False
        self.skip(max(0.0, self._sleepers[0].due_at - self.now()))
        return True
