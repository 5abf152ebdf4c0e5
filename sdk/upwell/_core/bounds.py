"""The bounds of an action that nobody runs: how long it may wait for an executor, and when it must be done.

`max_runtime` is none of them: who runs an attempt keeps to it.
"""

from __future__ import annotations

from upwell._core.model import ActionRecord, ActionSpec, ErrorInfo, Status


def due_at(record: ActionRecord) -> float | None:
    """Return when an open action is to be ended as timed out; None if it has no bound that runs."""
    bounds = record.spec.task.bounds
    due = []
    if bounds.deadline_s is not None:
        due.append(record.spec.queued_at + bounds.deadline_s)
    since = queued_since(record)
    if bounds.max_queued_s is not None and since is not None:
        due.append(since + bounds.max_queued_s)
    return min(due, default=None)


def is_bounded(spec: ActionSpec) -> bool:
    """Whether an action has bounds that pass while nobody runs it."""
    return spec.task.bounds.deadline_s is not None or spec.task.bounds.max_queued_s is not None


def queued_since(record: ActionRecord) -> float | None:
    """Return since when an action waits for its next attempt to begin; None if it does not.

    An attempt that was suspended has begun; that it waits to go on is no time in the queue.
    """
    if record.status not in {Status.NEW, Status.QUEUED} or record.is_resumed:
        return None
    since = max(record.spec.queued_at, record.not_before)
    return max(since, record.attempts[-1].ended_at or 0.0) if record.attempts else since


def too_late(record: ActionRecord, now: float) -> ErrorInfo | None:
    """Return which bound of an action has passed; None while none has."""
    task, bounds = record.spec.task, record.spec.task.bounds
    if bounds.deadline_s is not None and now - record.spec.queued_at > bounds.deadline_s:
        text = f"{task.name} was not done {bounds.deadline_s:g} s after it was queued"
        return ErrorInfo(code="DeadlineExceededError", message=text, recoverable=False)
    since = queued_since(record)
    if bounds.max_queued_s is not None and since is not None and now - since > bounds.max_queued_s:
        text = f"{task.name} waited {now - since:.1f} s; max_queued_time is {bounds.max_queued_s:g} s"
        return ErrorInfo(code="MaxQueuedTimeExceededError", message=text, recoverable=False)
    return None
