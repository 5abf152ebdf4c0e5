"""Retries and time bounds of tasks, as people write them, and what the engine makes of them."""

from __future__ import annotations

from dataclasses import dataclass

from upwell._author.durations import Duration, to_seconds
from upwell._core.model import Bounds, RetryPolicy


@dataclass(frozen=True, slots=True)
class Backoff:
    """The delay before retry n, counted from 0: `min(base * factor**n, cap)`.

    Attributes:
        base: Delay before the first retry.
        factor: How much each delay grows over the one before; at least 1.
        cap: Longest delay; needed when `factor` is above 1.

    Example:
        >>> Backoff(base=10, factor=2.0, cap=timedelta(minutes=5)).factor
        2.0
    """

    base: Duration
    factor: float = 1.0
    cap: Duration | None = None

    def __post_init__(self) -> None:
        to_seconds(self.base, "Backoff(base)")
        if self.factor < 1:
            raise ValueError(f"Backoff(factor={self.factor!r}) would shorten the delays; give 1 or more")
        if self.cap is not None:
            to_seconds(self.cap, "Backoff(cap)")
        elif self.factor > 1:
            raise ValueError(f"Backoff(factor={self.factor!r}) grows without end; give it a cap= as well")


@dataclass(frozen=True, slots=True)
class RetryStrategy:
    """How often a failed attempt is tried again, and after which delays.

    Attributes:
        count: Retries after the first attempt; 0 or more.
        backoff: Delays between attempts; without it they follow at once.
    """

    count: int
    backoff: Backoff | None = None

    def __post_init__(self) -> None:
        if isinstance(self.count, bool) or not isinstance(self.count, int) or self.count < 0:
            raise ValueError(f"retries={self.count!r} is not a number of retries; give an int of 0 or more")


@dataclass(frozen=True, slots=True)
class Timeout:
    """Bounds of an action. None and 0 mean no bound.

    Attributes:
        max_runtime: Of one attempt, while it runs.
        max_queued_time: Of one attempt, while it waits for an executor.
        deadline: Of the whole action with all its attempts, from when it was first queued.
    """

    max_runtime: Duration | None = None
    max_queued_time: Duration | None = None
    deadline: Duration | None = None

    def __post_init__(self) -> None:
        for name in ("max_runtime", "max_queued_time", "deadline"):
            _bound(getattr(self, name), f"Timeout({name})")


Retries = int | RetryStrategy
TimeoutType = Timeout | Duration


def to_retry_policy(retries: Retries) -> RetryPolicy:
    """Return what the engine needs to know of `retries=`."""
    strategy = retries if isinstance(retries, RetryStrategy) else RetryStrategy(retries)
    backoff = strategy.backoff
    if backoff is None:
        return RetryPolicy(count=strategy.count)
    return RetryPolicy(
        count=strategy.count,
        base_s=to_seconds(backoff.base, "Backoff(base)"),
        factor=backoff.factor,
        cap_s=None if backoff.cap is None else to_seconds(backoff.cap, "Backoff(cap)"),
    )


def to_bounds(timeout: TimeoutType | None) -> Bounds:
    """Return what the engine needs to know of `timeout=`; a bare duration is `max_runtime`."""
    if isinstance(timeout, Timeout):
        return Bounds(
            max_runtime_s=_bound(timeout.max_runtime, "max_runtime"),
            max_queued_s=_bound(timeout.max_queued_time, "max_queued_time"),
            deadline_s=_bound(timeout.deadline, "deadline"),
        )
    return Bounds(max_runtime_s=_bound(timeout, "timeout"))


def _bound(value: Duration | None, what: str) -> float | None:
    return None if value is None else to_seconds(value, what) or None
