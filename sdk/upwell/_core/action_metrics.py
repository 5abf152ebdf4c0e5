"""What a change of an action's record counts as."""

from __future__ import annotations

from collections.abc import Iterator

from upwell._core.metrics import Metric
from upwell._core.model import ActionRecord, Attempt, Status

ENDS = {
    Status.SUCCEEDED: Metric.ACTIONS_SUCCEEDED,
    Status.FAILED: Metric.ACTIONS_FAILED,
    Status.ABORTED: Metric.ACTIONS_ABORTED,
    Status.TIMED_OUT: Metric.ACTIONS_TIMED_OUT,
}


def counted(before: ActionRecord | None, after: ActionRecord) -> Iterator[tuple[Metric, float]]:
    """Yield what a write of a record counts as.

    Args:
        before: As it was; None if it is new.
        after: As it was written.
    """
    if after.status.is_terminal and (before is None or not before.status.is_terminal):
        yield ENDS[after.status], 1
    lost = after.losses - (before.losses if before is not None else 0)
    if lost > 0:  # a recovery counts anew, from 0
        yield Metric.SYSTEM_LOSSES, lost
    if _begun(after) != (_begun(before) if before is not None else None) and not is_continued(after):
        yield Metric.QUEUE_TO_START, max(0.0, after.attempts[-1].started_at - waiting_since(after))


def _begun(record: ActionRecord) -> float | None:
    return record.attempts[-1].started_at if record.attempts else None


def is_continued(record: ActionRecord) -> bool:
    """Whether the latest attempt goes on with one that was suspended: it was no message that it waited for."""
    return len(record.attempts) > 1 and record.attempts[-2].end == "suspended"


def waiting_since(record: ActionRecord) -> float:
    """Return since when the latest attempt could have begun, epoch seconds."""
    earlier: tuple[Attempt, ...] = record.attempts[:-1]
    sent_at = record.spec.queued_at or record.attempts[-1].started_at
    return max(sent_at, record.not_before, *(attempt.ended_at or 0.0 for attempt in earlier))
