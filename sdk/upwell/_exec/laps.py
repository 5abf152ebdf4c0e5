"""Measures the phases of an attempt, on both sides of the boundary. See `_core.phases`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from upwell._core.action_metrics import waiting_since
from upwell._core.model import ActionRecord
from upwell._core.phases import NOTHING, Noticed, Phases, in_queue, kept

IMPORTED_AT = time.time()


def process_started_at() -> float:
    """Return when this process began, epoch seconds; when this was imported, where that cannot be told."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        began_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # field 22, counted from behind the name
        return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - began_s)
    except (OSError, ValueError, IndexError, AttributeError):
        return IMPORTED_AT


class FirstReceipt:
    """Gives the start of this executor to the first attempt that it receives, and to no other.

    Args:
        ready_at: When the executor was ready to receive.
    """

    def __init__(self, ready_at: float) -> None:
        self._started: tuple[float, float] | None = (process_started_at(), ready_at)

    def take(self) -> tuple[float, float] | None:
        """Return when the process began and when it was ready; None from the second time on."""
        started, self._started = self._started, None
        return started


class Laps:
    """A watch that is always in one phase, at first that of the inputs.

    Args:
        now: The clock.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._spent_s: dict[str, float] = {}
        self._current: str | None = "input_s"
        self._since = now()

    def enter(self, phase: str | None) -> None:
        """The current phase is over, and another one begins.

        Args:
            phase: A field of `Phases`; None if what follows is none.
        """
        now = self._now()
        self._spent_s = self._until(now)
        self._current, self._since = phase, now

    def so_far(self) -> Phases:
        """Return the phases, the current one up to now."""
        return Phases(**self._until(self._now()))

    def _until(self, now: float) -> dict[str, float]:
        current, spent_s = self._current, self._spent_s
        if current is None:
            return spent_s
        return spent_s | {current: spent_s.get(current, 0.0) + max(0.0, now - self._since)}

    def take(self, theirs: Phases) -> None:
        """The other side has ended, which ran while this one was in the phase `run`.

        Args:
            theirs: What it has measured. The rest of that time it took to get there and back.
        """
        elapsed_s = self.so_far().run_s
        self.enter("output_s")
        if theirs != NOTHING:
            ours = Phases(**self._spent_s)
            inside = Phases._make(map(sum, zip(ours, theirs, strict=True)))._replace(run_s=theirs.run_s)
            beside_s = max(0.0, elapsed_s - theirs.total_s)
            self._spent_s = inside._replace(bundle_s=inside.bundle_s + beside_s)._asdict()


def received(record: ActionRecord, claimed_at: float, started: tuple[float, float] | None) -> Phases:
    """Return the phases of an attempt up to its claim.

    Args:
        record: As claimed.
        claimed_at: When the claim was written.
        started: See `in_queue`.
    """
    attempt = record.attempts[-1]
    queued_s, start_s = in_queue(waiting_since(record), attempt.started_at, started)
    return Phases(queued_s=queued_s, start_s=start_s, claim_s=max(0.0, claimed_at - attempt.started_at))


class Noticing:
    """Sums, by task, how late a parent's code gets outcomes."""

    def __init__(self) -> None:
        self._sums: dict[str, Noticed] = {}

    def note(self, task: str, recorded_at: float, now: float) -> None:
        """An outcome has arrived.

        Args:
            task: Of the child.
            recorded_at: When its executor told it, by a clock that may differ from ours.
            now: Our time.
        """
        late_s = max(0.0, now - recorded_at)
        known = self._sums.get(task)
        if known is None:
            self._sums[task] = Noticed(task, 1, late_s, late_s)
        else:
            self._sums[task] = Noticed(task, known.children + 1, known.sum_s + late_s, max(known.max_s, late_s))

    def kept(self) -> tuple[Noticed, ...]:
        """Return what is recorded of it."""
        return kept(self._sums)
