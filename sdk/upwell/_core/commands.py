"""What can be asked of an action (commands), and what follows from a decision (effects)."""

from __future__ import annotations

from dataclasses import dataclass, field

from upwell._core.model import (
    ActionKey,
    ActionRecord,
    ActionSpec,
    ActionWarning,
    ErrorInfo,
    Executor,
    Lease,
    Outcome,
    Payload,
)
from upwell._core.phases import Noticed

# --- commands -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A message arrived; its receiver wants to run the action.

    Attributes:
        wait_s: It would, but for a place that is not free: where it could begin, its message comes again after
            this delay.
        received: How often the message was received, this time included.
    """

    spec: ActionSpec
    executor: Executor
    lease: Lease
    max_losses: int = 5
    wait_s: float | None = None
    received: int = 1
    task_token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend:
    """The holder of a lease is alive."""

    lease: Lease
    hits: dict[str, int] = field(default_factory=dict)
    """Calls that were answered from the cache, by task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The holder of a lease ran the task, or found its result in the cache."""

    lease_id: str
    outcome: Outcome
    warnings: tuple[ActionWarning, ...] = ()
    cached_from: ActionKey | None = None
    cached_at: float | None = None
    phases: tuple[int, ...] = ()
    noticed: tuple[Noticed, ...] = ()
    hits: dict[str, int] = field(default_factory=dict)
    """Calls that were answered from the cache, by task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The holder of a lease gives the action back unharmed (it drains)."""

    lease_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lose:
    """The holder of a lease lost the process of the task, which another attempt may have brought down."""

    lease_id: str
    error: ErrorInfo
    max_losses: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspend:
    """The holder of a lease waits for children and lets its process go."""

    lease_id: str
    open_children: int
    waiting_since: float
    task_token: str | None = None
    warnings: tuple[ActionWarning, ...] = ()
    note: str = ""
    """What a person should know of it."""
    phases: tuple[int, ...] = ()
    noticed: tuple[Noticed, ...] = ()
    hits: dict[str, int] = field(default_factory=dict)
    """Calls that were answered from the cache, by task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """A child of a suspended action ended.

    Attributes:
        again: The same end was told before, perhaps by an executor that died before it sent the message.
    """

    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """The parent of an action was suspended, and wants to be woken when the action ends.

    Attributes:
        spec: As much of the action as its parent knows; the inputs come with its message.
    """

    spec: ActionSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    """Somebody who may wants the action to end."""

    spec: ActionSpec
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """The queue delivered the message too often and put it aside."""

    spec: ActionSpec
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOut:
    """Somebody who watches the bounds of an action found that one has passed.

    Attributes:
        spec: The action, or as much of it as is known: `run`, `action_id`, `queued_at` and `task.bounds`.
    """

    spec: ActionSpec


Command = Claim | Extend | Finish | Release | Lose | Suspend | Wake | Subscribe | Abort | GiveUp | TimeOut

# --- effects --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """Run the task: the claim holds."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Tell the parent (or, for the root, the orchestrator) how the action ended."""

    outcome: Outcome
    wakes: bool = False
    """Whether the parent may be suspended, and must be woken then."""


@dataclass(frozen=True, slots=True)
class Resend:
    """Send the action's message anew, for its next attempt."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Postpone:
    """Leave the message in the queue, invisible for so long."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The message has done its work: delete it."""


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Read the journal once more: a child that ended before the suspension was written saw nobody to wake."""


@dataclass(frozen=True, slots=True)
class TellNow:
    """The action that the parent asked for has ended: there is no end to wait for."""


@dataclass(frozen=True, slots=True)
class StopChildren:
    """Abort the children that the action's journal says are open."""


@dataclass(frozen=True, slots=True)
class Remember:
    """Keep the output under the task's cache key."""

    output: Payload


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop running: the lease is no longer held."""


Effect = Run | Reply | Resend | Postpone | Acknowledge | LookAgain | TellNow | StopChildren | Remember | Stop


@dataclass(frozen=True, slots=True)
class Decision:
    """A new record (None: nothing to write) and what to do once it is written, in order."""

    record: ActionRecord | None
    effects: tuple[Effect, ...] = ()
