"""The phases of an attempt: where its time went.

The reference counts the overhead of a task as `2u + 2d + e + t`: uploads, downloads, enqueueing, creation of
the instance. An attempt measures its own part and takes it along with the write that ends it; what happens
after that write is known to the parent alone, which keeps sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

DIGITS = 6
"""Of a second: what is kept. A clock does not tell less than a microsecond."""
NOTICED_TASKS = 10
"""Tasks of which a parent keeps sums of its own; those of the others are one, under an empty name."""


class Phases(NamedTuple):
    """How long the parts of an attempt took, in seconds."""

    queued_s: float = 0.0
    """`e`: from the call, or the latest message, to the claim; packing the inputs (`u`) included."""
    start_s: float = 0.0
    """`t`: of that time, what the executor took to start; 0 where it was warm."""
    claim_s: float = 0.0
    """Writing the claim."""
    bundle_s: float = 0.0
    """Code: fetching it, the process for it, importing it."""
    input_s: float = 0.0
    """`d`: fetching and decoding the inputs, and a parent's journal."""
    run_s: float = 0.0
    """The task's function, its waits for children included."""
    output_s: float = 0.0
    """`u`: encoding and storing the output."""

    @property
    def total_s(self) -> float:
        """All of it."""
        return sum(self)

    def packed(self) -> tuple[int, ...]:
        """Return the phases as whole microseconds: what a record has, where each byte counts."""
        return tuple(max(0, round(seconds * 1e6)) for seconds in self)

    @classmethod
    def unpacked(cls, packed: Sequence[int]) -> Phases:
        """Return the phases of a record. One of later code may have more, one of earlier code fewer."""
        return cls(*(us / 1e6 for us in packed[: len(cls._fields)]))


NOTHING = Phases()


class Waits(NamedTuple):
    """What of an attempt's phases passed in waiting, in seconds."""

    waiting_s: float = 0.0
    """Of `run_s`: the task waited for children, and for a slot to go on in."""
    slot_s: float = 0.0
    """Of `queued_s`: all slots of the executor that took it were taken. It is load, not overhead."""
    shared_s: float = 0.0
    """Of the time in which it held its executor: what others had of it that held it as well."""

    def after(self, phases: Sequence[int]) -> tuple[int, ...]:
        """Return packed phases with these behind them; what is 0 at the end takes no byte."""
        packed = [max(0, round(seconds * 1e6)) for seconds in self]
        while packed and not packed[-1]:
            del packed[-1]
        return (*phases, *packed)

    @classmethod
    def unpacked(cls, packed: Sequence[int]) -> Waits:
        """Return what a record has of them behind its phases; one of earlier code has nothing."""
        return cls(*(us / 1e6 for us in packed[len(NOTHING) : len(NOTHING) + len(cls._fields)]))


class Noticed(NamedTuple):
    """How long after they were told a parent's code got the outcomes of children of one task."""

    task: str
    children: int
    sum_s: float
    max_s: float


def in_queue(since: float, received_at: float, started: tuple[float, float] | None) -> tuple[float, float]:
    """Split the time before a receipt into `queued_s` and `start_s`.

    Args:
        since: When the message was sent.
        received_at: When it was received. Clocks differ: it may be earlier.
        started: Of the executor, if this is the first that it receives: when its process began, and when it
            was ready to receive. Only what passed of that while the message waited counts.
    """
    waited_s = max(0.0, received_at - since)
    if started is None:
        return waited_s, 0.0
    began_at, ready_at = started
    start_s = min(waited_s, max(0.0, min(ready_at, received_at) - max(began_at, since)))
    return waited_s - start_s, start_s


def merged(sums: Iterable[Noticed]) -> dict[str, Noticed]:
    """Return sums by task, of several parents."""
    by_task: dict[str, Noticed] = {}
    for one in sums:
        known = by_task.get(one.task, Noticed(one.task, 0, 0.0, 0.0))
        by_task[one.task] = Noticed(
            one.task, known.children + one.children, known.sum_s + one.sum_s, max(known.max_s, one.max_s)
        )
    return by_task


def kept(sums: dict[str, Noticed]) -> tuple[Noticed, ...]:
    """Return what a parent records of its sums: those with most children, the others as one."""
    ranked = sorted(sums.values(), key=lambda one: (-one.children, one.task))
    rest = merged(one._replace(task="") for one in ranked[NOTICED_TASKS:])
    return tuple(
        one._replace(sum_s=round(one.sum_s, DIGITS), max_s=round(one.max_s, DIGITS))
        for one in [*ranked[:NOTICED_TASKS], *rest.values()]
    )
