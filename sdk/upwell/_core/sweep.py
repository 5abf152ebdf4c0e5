"""What the sweeper finds overdue, and what puts it right, as pure functions.

An action waits for something that will happen: its message is delivered, its holder extends the lease, a child
wakes it. What has not happened long after it was due will not happen by itself. `judge` says so of an action
that has a record, `judge_child` of one that its parent's journal tells of, `must_wake` of a parent that sleeps.
`_exec.sweeper` reads what they are asked about, and does what they say.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from upwell._core.bounds import due_at
from upwell._core.children import Child, Children, unclaimed_child
from upwell._core.model import ActionRecord, RunSpec, Status

BACKLOG_S = 900.0
"""Where messages wait for executors, one that does not come is believed to be among them for so long."""
PAUSE_MAX_S = 300.0
"""Longest time between two looks at a run."""
ACTIONS_PER_S = 100.0
"""A look reads all actions of a run: this many for each second that it is apart from the look before."""
NEVER = float("inf")


class Remedy(StrEnum):
    """What puts an action right."""

    SEND = "sent again"
    TIME_OUT = "timed out"
    ABORT = "aborted"
    WAKE = "woken"
    TELL = "told again"
    MISS = "reported lost"
    SETTLE = "run ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The circumstances of one look at a run.

    Attributes:
        now: The time.
        before: When the run was looked at last.
        patience_s: So long after it was due, nothing will happen by itself.
    """

    now: float
    before: float
    patience_s: float

    def repeats(self, since: float, patience_s: float | None = None) -> bool:
        """Whether it is time to do something for the first time, or once more: at 1, 2, 4, 8... times patience.

        Args:
            since: When it was due.
            patience_s: Another patience than the run's.
        """
        age_s, before_s = self.now - since, self.before - since
        step_s = patience_s or self.patience_s
        while step_s * 2 <= age_s:
            step_s *= 2
        return before_s < step_s <= age_s

    def soonest(self, *times: float | None) -> float:
        """Return the first of the times that are still to come."""
        return min((at for at in times if at is not None and at > self.now), default=NEVER)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do about an action now (None: nothing), and when something may be due next."""

    remedy: Remedy | None = None
    next_at: float = NEVER


def judge(record: ActionRecord, *, run: RunSpec, is_over: bool, waiting: bool, look: Look) -> Verdict:
    """Return what to do about an action that has a record.

    Args:
        record: As stored.
        run: The run, in its latest generation.
        is_over: Whether the run has ended.
        waiting: Whether messages wait for executors in the queue of the action's pool.
        look: When.
    """
    if record.status.is_terminal:
        return Verdict()
    held = record.status is Status.RUNNING and record.lease is not None and record.lease.expires_at > look.now
    if is_over or (record.generation < run.generation and not held):
        return Verdict(Remedy.ABORT)  # nobody will ask for it any more, not in this generation
    due = due_at(record)
    if due is not None and due < look.now and not held:
        return Verdict(Remedy.TIME_OUT)
    since = waits_since(record)
    if since is not None and look.repeats(since, BACKLOG_S if waiting else None):
        return Verdict(Remedy.SEND)
    return Verdict(None, look.soonest(due, since and since + look.patience_s))


def waits_since(record: ActionRecord) -> float | None:
    """Return since when an action's message is due; None if it waits for no message."""
    match record.status:
        case Status.RUNNING:
            return record.lease.expires_at if record.lease is not None else None
        case Status.QUEUED if not is_only_awaited(record):
            ended_at = record.attempts[-1].ended_at if record.attempts else None
            return max(record.not_before, ended_at or record.created_at)
        case _:
            return None


def is_only_awaited(record: ActionRecord) -> bool:
    """Whether a record says no more than that a parent sleeps until its end: it does not know its own inputs.

    Such an action is like one without a record: its message, or its parent, knows the rest.
    """
    inputs = record.spec.inputs
    return record.status is Status.QUEUED and inputs.text is None and inputs.blob is None


# --- children that their parent's journal tells of ------------------------------------------------------------


def is_unclaimed(record: ActionRecord | None, generation: int) -> bool:
    """Whether nobody has claimed an action in this generation, nor need to."""
    if record is None or is_only_awaited(record):
        return True
    return record.generation < generation and record.status is not Status.SUCCEEDED


def judge_child(
    child: Child, record: ActionRecord | None, *, generation: int, waiting: bool, look: Look
) -> Verdict:
    """Return what to do about a child whose end its parent has not heard of.

    Args:
        child: What the parent's journal says.
        record: The child's own, if it has one.
        generation: The parent's.
        waiting: Whether messages wait for executors in the queue of the child's pool.
        look: When.
    """
    if record is not None and not is_unclaimed(record, generation):
        ended_at = record.ended_at if record.status.is_terminal else None
        if ended_at is None:
            return Verdict()  # `judge` sees to it
        if look.repeats(ended_at):
            return Verdict(Remedy.TELL)
        return Verdict(None, look.soonest(ended_at + look.patience_s))
    due = due_at(unclaimed_child(child.sent))
    if due is not None and due < look.now:
        return Verdict(Remedy.TIME_OUT)
    if child.lost_until < child.last_at and look.repeats(child.first_at, BACKLOG_S if waiting else None):
        return Verdict(Remedy.MISS)
    return Verdict(None, look.soonest(due, child.first_at + look.patience_s))


def must_wake(record: ActionRecord, children: Children, still_open: int, look: Look) -> bool:
    """Whether a parent that sleeps has slept through something.

    Args:
        record: The parent, suspended.
        children: What its journal says.
        still_open: Those of its children that have not ended, whatever the journal says.
        look: When.
    """
    suspension, slept_at = record.suspension, record.attempts[-1].ended_at or 0.0
    if suspension is None or look.now - max(slept_at, children.news_at) < look.patience_s:
        return False
    lost = any(child.lost_until >= child.last_at for child in children.open.values())
    return lost or still_open < max(1, suspension.open_children) or children.news_at > slept_at


# --- runs ----------------------------------------------------------------------------------------------------


def next_look(look: Look, *, actions: int, found_anything: bool, next_at: float) -> float:
    """Return when to look at a run again.

    The longer nothing was found, the longer the pause, up to five minutes; what is known to be due is looked at
    then; and a large run is looked at more rarely, because a look reads all of it.
    """
    pause_s = look.patience_s if found_anything else 2 * (look.now - look.before)
    pause_s = min(max(pause_s, look.patience_s), PAUSE_MAX_S)
    at = min(look.now + pause_s, next_at)
    return max(at, look.now + actions / ACTIONS_PER_S)
