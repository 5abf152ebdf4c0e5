"""Real time."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """The `Clock` of every deployed component: the machine's time, in UTC."""

    def now(self) -> float:
        """Return the time, epoch seconds."""
        return time.time()

    async def sleep(self, delay_s: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(delay_s)
