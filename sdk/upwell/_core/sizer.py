"""How many items of a map travel in one action: what is measured while the map runs decides.

An action costs the same whatever it does, so that a batch is to run for several times as long as that. More
gains little, and makes stragglers: slots that have nothing left to do while the last batches end.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf

FACTOR = 10.0
"""A batch runs so many times as long as its action costs besides."""
SLOTS_UNKNOWN = 32
"""Slots that are reckoned with where nobody knows how many there are."""
BATCH_MIN_S = 0.2
"""A batch is to run so long at least: what an action costs the processor does not show in its duration."""
BATCH_MAX_S = 30.0
"""A batch is not to run longer: one more than a lease, and what a crash repeats grows with it."""
ITEMS_MAX = 10_000
BYTES_MAX = 2 * 1024 * 1024
"""Of inputs and outputs of one batch together."""
GROWTH = 8
"""A batch has at most so many times the items of the largest that was measured."""
BATCHES_PER_SLOT = 2
"""While items last, there are to be so many batches for each slot."""
BATCHES_MIN = 32
ITEMS_PER_S = 5_000
"""Where slots share a processor, so many items a second keep it busy: more batches only wait."""
PROBES = 16
"""Single items that are sent before anything is measured ..."""
PROBE_S = 0.1
"""... and twice as many as before each time this has passed: items that take longer need no batches ..."""
PROBES_PER_S = 32
"""... but no more than so many each second, since it may be executors that take long to start ..."""
PROBES_PER_SLOT = 2
"""... nor, where it is known how many slots there are, more than keep them busy."""
OVERHEAD_S = 0.05
"""What an action costs, as long as nothing is measured."""
MEMORY = 0.8
"""Weight of what was measured before, each time that a batch is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """What a map must know of the engine to size its batches.

    Attributes:
        slots: Actions that run at once wherever a task belongs, as all share a processor; 0 is unknown.
        factor: See `FACTOR`.
    """

    slots: int = 0
    factor: float = FACTOR


class Sizer:
    """Sizes the batches of one map.

    Args:
        sizing: What is known beforehand.
        concurrency: Items that may run at once; 0 is any number.
        pool_slots: Actions that the pool of the task can run at once, where that is declared; 0 is unknown.
    """

    def __init__(self, sizing: Sizing, concurrency: int = 0, *, pool_slots: int = 0) -> None:
        self._slots_known = sizing.slots or pool_slots
        slots = self._slots_known or SLOTS_UNKNOWN
        self._slots = min(slots, concurrency) if concurrency else slots
        self._shares_processor = sizing.slots > 0
        self._factor = sizing.factor
        self._items = self._work_s = self._bytes = 0.0
        self._overhead_s: float | None = None
        self._largest = 0
        self._item_total_s = inf
        self.runs_long = False
        """Whether a single item was found to run long enough by itself."""

    @property
    def is_measured(self) -> bool:
        """Whether anything is known of the items."""
        return self._items > 0

    def measured(self, *, items: int, work_s: float, total_s: float, size_bytes: int = 0) -> None:
        """Take in an action that has ended.

        Args:
            items: Its items.
            work_s: How long they ran; 0 where nobody had to run them.
            total_s: From its call until its result was there. Below `work_s` if an earlier attempt called it.
            size_bytes: Of inputs and outputs.
        """
        self._items = MEMORY * self._items + items
        self._work_s = MEMORY * self._work_s + work_s
        self._bytes = MEMORY * self._bytes + size_bytes
        self._largest = max(self._largest, items)
        if total_s >= work_s:
            self._item_total_s = min(self._item_total_s, total_s / items)
        if total_s > work_s > 0:  # the least is what it costs with nothing before it in a queue
            cost_s = total_s - work_s
            self._overhead_s = cost_s if self._overhead_s is None else min(self._overhead_s, cost_s)
        self.runs_long = self._target(ITEMS_MAX) <= 1

    def in_flight(self, waited_s: float) -> int | None:
        """Return how many actions may be under way; None is any number.

        Args:
            waited_s: Since the first was sent.
        """
        if not self.is_measured:
            most = PROBES_PER_SLOT * self._slots_known or PROBES + int(PROBES_PER_S * waited_s)
            return max(PROBES, min(most, int(PROBES * 2 ** min(int(waited_s / PROBE_S), 20))))
        if self.runs_long or not self._shares_processor:
            return None
        return max(BATCHES_MIN, min(self._slots, int(ITEMS_PER_S * self._work_s / self._items)))

    def size(self, left: int | None) -> int:
        """Return how many items the next action takes.

        Args:
            left: Items that are not sent yet; None where nobody knows.
        """
        if not self.is_measured:
            return 1
        target = self._target(GROWTH * self._largest)
        if left is None:
            return target
        at_once = min(self._slots, self.in_flight(0.0) or self._slots)
        share = ceil(left / (BATCHES_PER_SLOT * at_once))
        return max(1, min(target, left, max(share, self._least())))

    def _target(self, most: int) -> int:
        """Return the items of a batch that is worth its action."""
        item_s = self._work_s / self._items
        worth_s = min(BATCH_MAX_S, max(BATCH_MIN_S, self._factor * self._cost_s))
        most = min(most, ITEMS_MAX, int(BYTES_MAX * self._items / max(1.0, self._bytes)))
        if 0 < self._item_total_s < inf:  # whatever the work is thought to be, nobody waits longer than that
            most = max(1, int(min(most, BATCH_MAX_S / self._item_total_s)))
        return max(1, round(min(most, worth_s / item_s) if item_s > 0 else most))

    def _least(self) -> int:
        """Return the items of the last batches: as long as an action costs."""
        item_s = self._work_s / self._items
        return round(min(ITEMS_MAX, self._cost_s / item_s)) if item_s > 0 else ITEMS_MAX

    @property
    def _cost_s(self) -> float:
        return OVERHEAD_S if self._overhead_s is None else self._overhead_s
