"""How many messages a worker receives beyond its free slots: those that it starts before it could ask again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from upwell._core.limits import SQS_BATCH_ITEMS

SOON_S = 0.2
"""What is received ahead must start within so long, by what was measured."""
HELD_AT_MOST_S = 0.5
"""What did not start until then is given back: well within the margin that leases keep to their messages."""
PAUSE_S = 60.0
"""After something had to be given back, nothing is received ahead for so long."""
LATENCY_MIN_S = 0.001
"""A queue that answers sooner is asked when a slot is free."""
WEIGHT = 0.2
"""Of a new measurement in the moving average of what actions take."""
FORGET = 1.02
"""So much longer the shortest request counts with every later one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What a worker has measured.

    Attributes:
        run_s: How long an action takes, from its start to its end; None before the first one.
        receive_s: How long a request for messages takes that are there already; None before the first one.
        paused_until: Nothing is received ahead before.
    """

    run_s: float | None = None
    receive_s: float | None = None
    paused_until: float = 0.0

    def ran(self, duration_s: float) -> Pace:
        """Take note of an action that ended."""
        before = duration_s if self.run_s is None else self.run_s
        return replace(self, run_s=before + WEIGHT * (duration_s - before))

    def received(self, duration_s: float) -> Pace:
        """Take note of a request that brought all that it asked for.

        It may have waited for them to be sent. So the shortest counts, which is forgotten slowly.
        """
        before = duration_s if self.receive_s is None else FORGET * self.receive_s
        return replace(self, receive_s=min(before, duration_s))

    def gave_back(self, now: float) -> Pace:
        """Take note that what was received ahead did not start soon."""
        return replace(self, paused_until=now + PAUSE_S)


def ahead(pace: Pace, *, slots: int, now: float) -> int:
    """Return how many messages to hold that no slot is free for.

    As many as all slots get through while a request for more is under way, if those start within `SOON_S`: none
    where actions take long or nothing was measured, at most one request's worth.

    Args:
        pace: What was measured.
        slots: Of the worker.
        now: The time, on the clock of `Pace.paused_until`.
    """
    if (
        now < pace.paused_until
        or pace.run_s is None
        or pace.receive_s is None
        or pace.receive_s < LATENCY_MIN_S
    ):
        return 0
    per_s = slots / max(pace.run_s, 1e-6)
    return min(int(per_s * pace.receive_s), int(per_s * SOON_S), SQS_BATCH_ITEMS)
