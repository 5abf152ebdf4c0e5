"""A slot that knows how long its attempt waited, and what it had of its executor."""

from __future__ import annotations

from upwell._core.action_metrics import is_continued, waiting_since
from upwell._core.model import ActionRecord
from upwell._core.phases import Phases, Waits
from upwell._core.ports import Clock
from upwell._exec.sharing import Sharing
from upwell._exec.slots import Slot


class TimedSlot(Slot):
    """A slot, and how its time is spent. The attempt begins when it is made.

    Args:
        slot: Of the attempt.
        sharing: Of the executor.
        clock: Tells the time.
        record: The action as claimed.
    """

    def __init__(self, slot: Slot, sharing: Sharing, clock: Clock, record: ActionRecord) -> None:
        super().__init__(None)
        self._slot = slot
        self._shares = sharing
        self._clock = clock
        self._calls = 0
        self._waited_s = self._had_s = self._held_s = 0.0
        self._full_s = 0.0
        if not is_continued(record):  # one that was suspended slept, and did not wait for a slot
            self._full_s = sharing.full_s(waiting_since(record), record.attempts[-1].started_at)
        self._enter()

    def park(self) -> None:
        """A wait begins."""
        self._calls += 1
        if self._calls == 1:
            self._leave()
        self._slot.park()

    async def resume(self) -> None:
        """A wait ends; the time in which the slot is waited for belongs to it."""
        await self._slot.resume()
        self._calls -= 1
        if self._calls == 0:
            self._waited_s += max(0.0, self._clock.now() - self._since)
            self._enter()

    def close(self) -> None:
        """The attempt is over; the slot itself is its executor's to close."""
        if self._calls == 0:
            self._leave()
            self._calls = 1

    def waits(self, phases: Phases) -> Waits:
        """Return what of the attempt's phases so far passed in waiting."""
        now = self._clock.now()
        waited_s, held_s, had_s = self._waited_s, self._held_s, self._had_s
        if self._calls:
            waited_s += max(0.0, now - self._since)
        else:
            held_s += max(0.0, now - self._since)
            had_s += self._shares.each_s(now) - self._each_s
        return Waits(
            waiting_s=min(waited_s, phases.run_s),
            slot_s=min(self._full_s, phases.queued_s),
            shared_s=max(0.0, held_s - had_s),
        )

    def _enter(self) -> None:
        self._since = self._clock.now()
        self._shares.enter(self._since)
        self._each_s = self._shares.each_s(self._since)

    def _leave(self) -> None:
        now = self._clock.now()
        self._held_s += max(0.0, now - self._since)
        self._had_s += self._shares.each_s(now) - self._each_s
        self._shares.leave(now)
        self._since = now
