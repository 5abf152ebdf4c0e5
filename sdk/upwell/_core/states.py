"""The life of an action as a table.

`decide` turns commands into the events below; an event that the table has no row for is an error of the
engine and raises. The diagram in docs/execution-model.md is drawn from this table by `python -m docs.diagram`.
"""

from __future__ import annotations

from enum import StrEnum

from upwell._core.model import Status


class Event(StrEnum):
    """What happens to an action."""

    CLAIMED = "claimed"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RETRIED = "retried"
    LEASE_EXPIRED = "lease expired"
    LOST = "lost"
    RELEASED = "released"
    SUSPENDED = "suspended"
    WOKEN = "woken"
    AWAITED = "awaited"
    TIMED_OUT = "timed out"
    ABORTED = "aborted"
    RECOVERED = "recovered"


NEW, QUEUED, RUNNING = Status.NEW, Status.QUEUED, Status.RUNNING
SUSPENDED = Status.SUSPENDED
SUCCEEDED, FAILED, ABORTED, TIMED_OUT = Status.SUCCEEDED, Status.FAILED, Status.ABORTED, Status.TIMED_OUT

TRANSITIONS: dict[tuple[Status, Event], Status] = {
    (NEW, Event.CLAIMED): RUNNING,  # the claim makes the record: nothing is written to enqueue
    (NEW, Event.TIMED_OUT): TIMED_OUT,  # waited past its bounds before the first claim
    (NEW, Event.FAILED): FAILED,  # could not be delivered
    (NEW, Event.ABORTED): ABORTED,  # a tombstone: the message, when it comes, finds it
    (NEW, Event.AWAITED): QUEUED,  # its parent sleeps, and asks in a record of its own to be woken
    (QUEUED, Event.CLAIMED): RUNNING,
    (QUEUED, Event.TIMED_OUT): TIMED_OUT,
    (QUEUED, Event.FAILED): FAILED,
    (QUEUED, Event.ABORTED): ABORTED,
    (QUEUED, Event.RECOVERED): QUEUED,
    (RUNNING, Event.SUCCEEDED): SUCCEEDED,
    (RUNNING, Event.FAILED): FAILED,
    (RUNNING, Event.RETRIED): QUEUED,  # the task failed and has retries left; attempt + 1
    (RUNNING, Event.LEASE_EXPIRED): QUEUED,  # the executor died; losses + 1
    (RUNNING, Event.LOST): QUEUED,  # the task's process died, not by its doing; losses + 1
    (RUNNING, Event.RELEASED): QUEUED,  # the executor drains and gives it back
    (RUNNING, Event.SUSPENDED): SUSPENDED,  # it waits for children, and its process may go
    (SUSPENDED, Event.WOKEN): QUEUED,  # a child ended; the message is sent again
    (SUSPENDED, Event.CLAIMED): RUNNING,  # its old message came once more
    (SUSPENDED, Event.TIMED_OUT): TIMED_OUT,
    (SUSPENDED, Event.ABORTED): ABORTED,
    (SUSPENDED, Event.RECOVERED): QUEUED,
    (RUNNING, Event.TIMED_OUT): TIMED_OUT,
    (RUNNING, Event.ABORTED): ABORTED,
    (RUNNING, Event.RECOVERED): QUEUED,  # a newer generation takes it from an executor of the old one
    (FAILED, Event.RECOVERED): QUEUED,
    (ABORTED, Event.RECOVERED): QUEUED,
    (TIMED_OUT, Event.RECOVERED): QUEUED,
}


class IllegalTransitionError(RuntimeError):
    """The engine asked for a transition that the table does not have."""


def next_status(status: Status, event: Event) -> Status:
    """Return the status after an event.

    Raises:
        IllegalTransitionError: the table has no such row.
    """
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise IllegalTransitionError(f"an action that is {status} cannot be {event.value}") from None
