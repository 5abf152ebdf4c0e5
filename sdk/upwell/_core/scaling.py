"""How many workers a pool should have, as a pure function of what waits, what runs and what was before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


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
    """What the scaler remembers between two looks; epoch seconds.

    Attributes:
        busy_at: When the pool last had anything to do.
        needs: Pairs of a number of workers and when as many were last needed, the largest and oldest first.
            From one pair to the next the number falls and the time rises, so that the n-th worker was last
            needed at the time of the last pair that has n or more.
    """

    busy_at: float = 0.0
    needs: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a look finds.

    Attributes:
        waiting: Messages that nobody works on.
        in_flight: Messages that workers hold: attempts that run, and parents that wait.
        workers: Desired at present.
    """

    waiting: int
    in_flight: int
    workers: int


class Why(StrEnum):
    """Why the number of workers changed."""

    BACKLOG = "backlog"
    """There is more to do than the workers have slots for."""
    SLOTS = "slots"
    """Workers had slots that were not needed for `scaledown_ttl`."""
    IDLE = "idle"
    """There was nothing to do for `idle_ttl`."""
    POLICY = "policy"
    """There were fewer workers than the policy's least, or more than its most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingEvent:
    """A change of the number of workers that the scaler made.

    Attributes:
        at: When, epoch seconds.
        before: Workers desired until then.
        after: Workers desired since.
        why: What called for it.
        waiting: Messages that nobody worked on.
        in_flight: Messages that workers held.
    """

    at: float
    before: int
    after: int
    why: Why
    waiting: int
    in_flight: int


def scaling_event(policy: ScalePolicy, load: Load, desired: int, *, now: float) -> ScalingEvent | None:
    """Return what a look changes; None if it leaves the workers as they are.

    Args:
        policy: Of the pool.
        load: What the look has found.
        desired: What `desired_workers` said.
        now: The time, epoch seconds.
    """
    if desired == load.workers:
        return None
    if desired > load.workers:
        has_slots = load.waiting + load.in_flight <= load.workers * policy.concurrency
        why = Why.POLICY if has_slots else Why.BACKLOG
    elif load.workers > policy.replicas_max:
        why = Why.POLICY
    else:
        why = Why.SLOTS if desired else Why.IDLE
    return ScalingEvent(
        at=now,
        before=load.workers,
        after=desired,
        why=why,
        waiting=load.waiting,
        in_flight=load.in_flight,
    )


def desired_workers(
    policy: ScalePolicy, state: ScaleState, load: Load, *, now: float
) -> tuple[int, ScaleState]:
    """Return how many workers there should be, and the new memory.

    Up at once. A worker goes when it was not needed for `scaledown_ttl`: the n-th one when at no look within
    that time n were needed, so that a load that rises and falls does not make workers come and go. All go when
    nothing was there for `idle_ttl`. Never fewer than hold the messages in flight.

    Args:
        policy: Of the pool.
        state: As of the last look.
        load: What is there.
        now: The time, epoch seconds.
    """
    if state == ScaleState():  # a new pool is as one that was just used
        state = ScaleState(busy_at=now, needs=_noted((), load.workers, now))
    messages = load.waiting + load.in_flight
    needed = 0
    if messages > 0:
        needed = min(max(math.ceil(messages / policy.concurrency), policy.replicas_min, 1), policy.replicas_max)
    recent = tuple(need for need in state.needs if now - need[1] < policy.scaledown_ttl_s)
    state = ScaleState(busy_at=now if messages > 0 else state.busy_at, needs=_noted(recent, needed, now))
    if messages == 0 and now - state.busy_at >= policy.idle_ttl_s:
        return 0, state
    still = max(state.needs[0][0] if state.needs else 0, policy.replicas_min, 1)
    return max(needed, min(load.workers, still, policy.replicas_max)), state


def _noted(needs: tuple[tuple[int, float], ...], needed: int, now: float) -> tuple[tuple[int, float], ...]:
    """Return the memory of needs with one more; it stands for those of at most as many, which are older."""
    if needed == 0:
        return needs
    return (*(need for need in needs if need[0] > needed), (needed, now))
