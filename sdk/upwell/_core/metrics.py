"""What the platform counts of itself: for who writes it, and for dashboards and alarms.

A metric costs by the month for each combination of its dimensions in which anything was written. So there are
two sets of them at most: the stage, and the stage with a pool.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

NAMESPACE = "upwell"
STAGE, POOL = "Stage", "Pool"
"""Names of the dimensions."""


class Metric(Enum):
    """A metric of the platform: its name, unit, and whether it is told apart by pool.

    Attributes:
        title: Name in CloudWatch.
        unit: `Count` is added up; of `Seconds` and `None` (a number as of now) each value is kept.
        by_pool: Whether the pool is a dimension beside the stage.
    """

    ACTIONS_SUCCEEDED = ("ActionsSucceeded", "Count", True)
    ACTIONS_FAILED = ("ActionsFailed", "Count", True)
    ACTIONS_ABORTED = ("ActionsAborted", "Count", True)
    ACTIONS_TIMED_OUT = ("ActionsTimedOut", "Count", True)
    SYSTEM_LOSSES = ("SystemLosses", "Count", True)
    """Attempts whose executor was lost."""
    QUEUE_TO_START = ("QueueToStart", "Seconds", True)
    """From when an action could be executed to the claim of an attempt."""
    CLAIMS_REFUSED = ("ClaimsRefused", "Count", True)
    """Deliveries that led to no attempt: the action had ended, was somebody else's, or came too early."""
    WORKERS = ("Workers", "None", True)
    """Workers that a pool is to have."""
    SCALING_DECISIONS = ("ScalingDecisions", "Count", True)
    VIEW_LAG = ("ViewLag", "Seconds", False)
    """Age of the oldest change of an action when the views had it."""
    THROTTLES = ("Throttles", "Count", False)
    """Requests that AWS refused because there were too many; most are tried again and succeed."""
    PUT_RIGHT = ("PutRight", "Count", False)
    """How often the sweeper had to do what somebody else should have done."""
    UNREADABLE = ("UnreadableMessages", "Count", False)
    """Dead letters of which nothing can be told, not even whose action they are."""

    def __init__(self, title: str, unit: str, by_pool: bool) -> None:
        self.title = title
        self.unit = unit
        self.by_pool = by_pool

    def dimensions(self, stage: str, pool: str) -> dict[str, str]:
        """Return the dimensions of a value, by name."""
        return {STAGE: stage, POOL: pool} if self.by_pool else {STAGE: stage}


class Metrics(Protocol):
    """Takes what is counted, from any thread. It must cost next to nothing."""

    def add(self, metric: Metric, value: float = 1.0, *, pool: str = "") -> None:
        """Count something, or keep a value.

        Args:
            metric: What.
            value: How many, or how much.
            pool: Where, for a metric that is told apart by pool.
        """


class NoMetrics:
    """Implements `Metrics` where nobody looks."""

    def add(self, metric: Metric, value: float = 1.0, *, pool: str = "") -> None:
        """See `Metrics.add`."""
