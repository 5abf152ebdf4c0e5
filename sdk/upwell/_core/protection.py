"""When a worker asks to be kept from scale-in: while it computes, with as few requests as that takes.

         busy for PROTECT_AFTER_S                      idle for RELEASE_AFTER_S
open  ---------------------------->  protected (10 min)  -------------------->  open
                                        |   ^
                                        +---+  half of it is over, still busy
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

PROTECT_AFTER_S = 3.0
"""Work that ends sooner is given back in time when a worker is stopped."""
RELEASE_AFTER_S = 5.0
"""A worker between two pieces of work is not idle."""
PROTECTED_S = 600.0
"""A protection that nobody renews or releases ends by itself."""
RETRY_S = 15.0


class Step(Enum):
    """What to ask for."""

    PROTECT = "protect"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionState:
    """What is known between two looks; seconds of one clock.

    Attributes:
        busy_since: Since when it computes; None while it is idle.
        idle_since: Since when it is idle; None while it computes.
        until: When the protection that was granted ends; None where there is none.
        retry_at: Nothing is asked for before.
    """

    busy_since: float | None = None
    idle_since: float | None = None
    until: float | None = None
    retry_at: float = 0.0

    def granted(self, step: Step, now: float) -> ProtectionState:
        """Return the state after a request that succeeded."""
        return replace(self, until=now + PROTECTED_S if step is Step.PROTECT else None)

    def refused(self, now: float) -> ProtectionState:
        """Return the state after a request that failed."""
        return replace(self, retry_at=now + RETRY_S)


def look(state: ProtectionState, *, busy: bool, now: float) -> tuple[Step | None, ProtectionState]:
    """Return what to ask for now, if anything, and the new state.

    Args:
        state: As of the last look.
        busy: Whether anything was computed since then.
        now: The time.
    """
    until = state.until if state.until is not None and state.until > now else None
    if busy:
        since = now if state.busy_since is None else state.busy_since
        state = replace(state, busy_since=since, idle_since=None, until=until)
        due = now - since >= PROTECT_AFTER_S and (until is None or until - now <= PROTECTED_S / 2)
        step = Step.PROTECT if due else None
    else:
        since = now if state.idle_since is None else state.idle_since
        idle = now - since >= RELEASE_AFTER_S
        state = replace(state, busy_since=None if idle else state.busy_since, idle_since=since, until=until)
        step = Step.RELEASE if idle and until is not None else None
    return (step if now >= state.retry_at else None), state
