"""Where an action or a run is, in the programming model's words."""

from __future__ import annotations

from enum import StrEnum

from upwell._core.model import Status


class ActionPhase(StrEnum):
    """Where an action is. Each is its own name as a text: `ActionPhase.FAILED == "failed"`."""

    QUEUED = "queued"
    WAITING_FOR_RESOURCES = "waiting_for_resources"
    INITIALIZING = "initializing"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"
    TIMED_OUT = "timed_out"
    PAUSED = "paused"

    @property
    def is_terminal(self) -> bool:
        """Whether the action has ended."""
        return self in _TERMINAL

    @classmethod
    def of(cls, status: Status) -> ActionPhase:
        """Return the phase of an action in a status; a parent that is suspended counts as running."""
        return _PHASES[status]


_PHASES = {
    Status.NEW: ActionPhase.QUEUED,
    Status.QUEUED: ActionPhase.QUEUED,
    Status.RUNNING: ActionPhase.RUNNING,
    Status.SUSPENDED: ActionPhase.RUNNING,
    Status.SUCCEEDED: ActionPhase.SUCCEEDED,
    Status.FAILED: ActionPhase.FAILED,
    Status.ABORTED: ActionPhase.ABORTED,
    Status.TIMED_OUT: ActionPhase.TIMED_OUT,
}
_TERMINAL = frozenset({phase for status, phase in _PHASES.items() if status.is_terminal})
