"""The ports that the machine itself fills: time and randomness."""

from __future__ import annotations

import asyncio
import secrets
import time


class SystemClock:
    """The `Clock` of everything but tests: the machine's time, in UTC."""

    def now(self) -> float:
        """Return the time, epoch seconds."""
        return time.time()

    async def sleep(self, delay_s: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(delay_s)


class RandomIds:
    """Random names."""

    def new(self) -> str:
        """Return 16 random hexadecimal characters."""
        return secrets.token_hex(8)
