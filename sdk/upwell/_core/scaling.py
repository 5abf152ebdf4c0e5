"""How many workers a pool should have, as a pure function of what waits, what runs and what was before."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalePolicy:
    """The reuse policy of a pool, in numbers."""

    replicas_min: int
    replicas_max: int
    concurrency: int
    scaledown_ttl_s: float
    idle_ttl_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleState:
    """What the scaler remembers between two looks; epoch seconds."""

    busy_at: float = 0.0
    """When the pool last had anything to do."""
    needed_at: float = 0.0
    """When all of its workers were last needed."""


def desired_workers(
    policy: ScalePolicy, state: ScaleState, *, messages: int, workers: int, now: float
) -> tuple[int, ScaleState]:
    """Return how many workers there should be, and the new memory.

    Up at once; down when fewer were needed for `scaledown_ttl`; to none when nothing was there for `idle_ttl`.

    Args:
        policy: Of the pool.
        state: As of the last look.
        messages: In the queue, those that are being worked on included.
        workers: Desired at present.
        now: The time, epoch seconds.
    """
    if state == ScaleState():
        state = ScaleState(busy_at=now, needed_at=now)  # a new pool is as one that was just used
    needed = 0
    if messages > 0:
        needed = min(max(math.ceil(messages / policy.concurrency), policy.replicas_min, 1), policy.replicas_max)
    state = ScaleState(
        busy_at=now if messages > 0 else state.busy_at,
        needed_at=now if needed >= workers and needed > 0 else state.needed_at,
    )
    if needed >= workers:
        return needed, state
    if messages == 0 and now - state.busy_at >= policy.idle_ttl_s:
        return 0, state
    if now - state.needed_at < policy.scaledown_ttl_s:
        return workers, state
    return min(workers, max(needed, policy.replicas_min, 1)), state
