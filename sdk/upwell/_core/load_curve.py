"""How many actions waited and ran when, in stretches of time that grow longer by themselves.

A stretch knows by how much the two levels changed in it, and how much of it each change lasted: so the mean of
a level over a stretch is exact, whatever its length. Two stretches make one of twice the length, and curves add
up in any order. All numbers are whole, so that what was added is taken off again without a trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STRETCHES_MAX = 64
"""A curve that would have more doubles their length."""
LEAST_BITS = 4
"""The shortest stretch is 2^4 ms."""
FIELDS = 6
QUEUED, QUEUED_MS, RUNNING, RUNNING_MS, ENDED, FAILED = range(FIELDS)
"""What a stretch knows: change of each level, and for how long, in ms of it; ends, and those that failed."""


@dataclass(slots=True)
class LoadCurve:
    """Changes of the load of a run.

    Attributes:
        bits: A stretch is 2^bits milliseconds long, and begins at a multiple of that since the epoch.
        stretches: What changed, by number of the stretch since the epoch.
    """

    bits: int = LEAST_BITS
    stretches: dict[int, list[int]] = field(default_factory=dict)

    def called(
        self, queued_ms: int, started_ms: int | None, ended_ms: int | None, failed: bool, n: int
    ) -> None:
        """Count an action, or take it off again.

        Args:
            queued_ms: When it was called, ms since the epoch.
            started_ms: When it began; None before.
            ended_ms: When it ended; None before.
            failed: Whether it has, if it has ended.
            n: 1 or -1.
        """
        self._step(queued_ms, QUEUED, n)
        begun_ms = started_ms if started_ms is not None else ended_ms
        if begun_ms is not None:
            self._step(max(begun_ms, queued_ms), QUEUED, -n)
        if started_ms is not None:
            self._step(started_ms, RUNNING, n)
        if ended_ms is None:
            return
        if started_ms is not None:
            self._step(max(ended_ms, started_ms), RUNNING, -n)
        stretch = self._stretch(ended_ms)
        stretch[ENDED] += n
        stretch[FAILED] += n * failed

    def ran(self, started_ms: int, ended_ms: int, n: int) -> None:
        """Count something that ran and has ended, or take it off again."""
        self._step(started_ms, RUNNING, n)
        self._step(ended_ms, RUNNING, -n)

    def add(self, other: LoadCurve) -> None:
        """Take in another curve."""
        theirs = other.copy()
        while theirs.bits < self.bits:
            theirs._double()
        while self.bits < theirs.bits:
            self._double()
        for number, values in theirs.stretches.items():
            mine = self.stretches.setdefault(number, [0] * FIELDS)
            for place, value in enumerate(values):
                mine[place] += value
        self._fit(STRETCHES_MAX)

    def copy(self) -> LoadCurve:
        """Return a curve of its own with the same content."""
        return LoadCurve(self.bits, {number: list(values) for number, values in self.stretches.items()})

    def within(self, most: int) -> LoadCurve:
        """Return this curve in at most so many stretches."""
        found = self.copy()
        found._fit(most)
        return found

    def _step(self, at_ms: int, level: int, n: int) -> None:
        stretch = self._stretch(at_ms)
        stretch[level] += n
        stretch[level + 1] += n * ((((at_ms >> self.bits) + 1) << self.bits) - at_ms)

    def _stretch(self, at_ms: int) -> list[int]:
        number = at_ms >> self.bits
        if number not in self.stretches:
            self.stretches[number] = [0] * FIELDS
            self._fit(STRETCHES_MAX)
        return self.stretches[at_ms >> self.bits]

    def _fit(self, most: int) -> None:
        while self.stretches and max(self.stretches) - min(self.stretches) >= most:
            self._double()

    def _double(self) -> None:
        length_ms = 1 << self.bits
        self.bits += 1
        before, self.stretches = self.stretches, {}
        for number, values in before.items():
            if number % 2 == 0:  # what changed in the first half lasts for the second as well
                values[QUEUED_MS] += values[QUEUED] * length_ms
                values[RUNNING_MS] += values[RUNNING] * length_ms
            mine = self.stretches.setdefault(number // 2, [0] * FIELDS)
            for place, value in enumerate(values):
                mine[place] += value


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a curve says of each stretch from the first change to an end, in order.

    Attributes:
        start: Epoch seconds.
        stretch_s: Length of a stretch.
        queued: How many waited, on average.
        running: How many ran, on average.
        ended: How many ended, failed ones included.
        failed: How many failed.
    """

    start: float
    stretch_s: float
    queued: list[float]
    running: list[float]
    ended: list[int]
    failed: list[int]


def load_of(curve: LoadCurve, until_ms: int, most: int) -> Load:
    """Return the load of a run in at most so many stretches.

    Args:
        curve: Of the run.
        until_ms: Where to end, ms since the epoch: now, while the run goes on.
        most: Stretches.
    """
    open_until = LoadCurve(curve.bits, {max(0, until_ms) >> curve.bits: [0] * FIELDS})
    curve = curve.copy()
    curve.add(open_until)
    curve = curve.within(most)
    length_ms = 1 << curve.bits
    numbers = range(min(curve.stretches), max(curve.stretches) + 1)
    load = Load(
        start=(numbers[0] * length_ms) / 1000,
        stretch_s=length_ms / 1000,
        queued=[],
        running=[],
        ended=[],
        failed=[],
    )
    queued = running = 0
    for number in numbers:
        values: Mapping[int, int] | list[int] = curve.stretches.get(number, [0] * FIELDS)
        load.queued.append(max(0.0, queued + values[QUEUED_MS] / length_ms))
        load.running.append(max(0.0, running + values[RUNNING_MS] / length_ms))
        load.ended.append(max(0, values[ENDED]))
        load.failed.append(max(0, values[FAILED]))
        queued, running = queued + values[QUEUED], running + values[RUNNING]
    return load
