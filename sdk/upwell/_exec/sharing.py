"""How the attempts that hold slots of one executor share its time, and since when it was full."""

from __future__ import annotations


class Sharing:
    """Counts the attempts that hold the executor. Times are epoch seconds.

    Args:
        size: Attempts that it runs at once.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._holders = 0
        self._since = 0.0
        self._each_s = 0.0
        self._full_until = 0.0

    def enter(self, now: float) -> None:
        """An attempt begins, or goes on."""
        self._change(1, now)

    def leave(self, now: float) -> None:
        """An attempt ends, or waits."""
        if self._holders >= self._size:
            self._full_until = now
        self._change(-1, now)

    def each_s(self, now: float) -> float:
        """Return what one would have had of the executor by now that had held it from the first on."""
        return self._each_s + (max(0.0, now - self._since) / self._holders if self._holders else 0.0)

    def full_s(self, since: float, until: float) -> float:
        """Return for how long of a stretch of time the executor was not to be had, for all that is known."""
        full_until = until if self._holders >= self._size else min(self._full_until, until)
        return max(0.0, full_until - since)

    def _change(self, by: int, now: float) -> None:
        self._each_s = self.each_s(now)
        self._holders += by
        self._since = now
