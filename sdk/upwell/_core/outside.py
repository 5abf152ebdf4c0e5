"""What those do to an action who do not hold its lease: its parent and children, people, the sweeper."""

from __future__ import annotations

from dataclasses import replace

from upwell._core.bounds import too_late
from upwell._core.commands import Acknowledge, Decision, GiveUp, Resend, TellNow, TimeOut, Wake
from upwell._core.model import ActionRecord, ActionSpec, ErrorInfo, Outcome, Status
from upwell._core.states import Event, next_status
from upwell._core.steps import end_action, end_effects, new_record, recover

SHARE_OF_WAIT = 0.05
"""A woken parent starts later by this share of the time waited: what ends by then wakes nobody."""
WAKE_DELAY_MAX_S = 900.0


def wake(record: ActionRecord | None, command: Wake, now: float) -> Decision:
    """Bring a suspended parent back, later the longer it has waited."""
    if record is None or record.suspension is None:
        return Decision(None)
    if record.status is Status.QUEUED and record.attempts[-1].end == "suspended" and command.again:
        return Decision(None, (Resend(max(0.0, record.not_before - now)),))
    if record.status is not Status.SUSPENDED:
        return Decision(None)
    delay_s = 0.0
    if record.suspension.open_children > 1:
        delay_s = min(SHARE_OF_WAIT * (now - record.suspension.waiting_since), WAKE_DELAY_MAX_S)
    woken = replace(
        record,
        status=next_status(record.status, Event.WOKEN),
        version=record.version + 1,
        not_before=now + delay_s,
    )
    return Decision(woken, (Resend(delay_s),))


def subscribe(record: ActionRecord | None, spec: ActionSpec, now: float) -> Decision:
    """A parent that will sleep asks to be woken by its child."""
    asked = replace(spec, parent_sleeps=True)
    if record is None:
        status = next_status(Status.NEW, Event.AWAITED)
        return Decision(replace(new_record(asked, now), status=status, version=1))
    if spec.run.generation < record.generation:
        return Decision(None)  # the parent is of a generation that was recovered since
    if spec.run.generation > record.generation and record.status is not Status.SUCCEEDED:
        recovered = recover(record, asked, now)
        return Decision(replace(recovered, version=record.version + 1))
    if record.outcome is not None:
        return Decision(None, (TellNow(),))
    if record.spec.parent_sleeps:
        return Decision(None)
    return Decision(replace(record, version=record.version + 1, spec=replace(record.spec, parent_sleeps=True)))


def give_up(record: ActionRecord | None, command: GiveUp, now: float) -> Decision:
    """A message was delivered too often: end its action, unless something else will bring it on."""
    is_current = record is not None and record.generation == command.spec.run.generation
    if record is not None and record.is_resumed and is_current and record.outcome is None:
        # It sleeps, or was woken by another message than this one. But its executor may have died before it had
        # seen to its being woken, which only this message tells of: it replays once more than it needs to.
        return Decision(None, (Resend(0.0), Acknowledge()))
    if record is not None and is_current and (delay_s := _busy_s(record, now)) > 0:
        # A copy of the message was put aside while its action runs, or waits for its next attempt. The copy may
        # be the last one, so it must go on watching: if the holder dies, it is what brings the action back.
        return Decision(None, (Resend(delay_s), Acknowledge()))
    error = ErrorInfo(code="RuntimeSystemError", message=command.reason, kind="system", recoverable=False)
    return end_from_outside(record, command.spec, Status.FAILED, Event.FAILED, error, now)


def time_out(record: ActionRecord | None, command: TimeOut, now: float) -> Decision:
    """End an action of which a bound has passed while nobody ran it."""
    spec = command.spec
    if record is not None and spec.run.generation < record.generation:
        return Decision(None)
    if record is not None and spec.run.generation > record.generation:
        if record.status is Status.SUCCEEDED:
            return Decision(None)
        record = recover(record, spec, now)
    if record is None:
        record = new_record(spec, now)
    if record.outcome is not None:
        return Decision(None, end_effects(record, record.spec, record.outcome))
    late = too_late(record, now)
    if late is None or (record.status is Status.RUNNING and _busy_s(record, now) > 0):
        return Decision(None)  # who runs it keeps to its bounds
    return end_action(record, Event.TIMED_OUT, Outcome(status=Status.TIMED_OUT, error=late), now)


def end_from_outside(
    record: ActionRecord | None, spec: ActionSpec, status: Status, event: Event, error: ErrorInfo, now: float
) -> Decision:
    """End an action that may not exist, run, or have ended."""
    outcome = Outcome(status=status, error=error)
    if record is None:
        return end_action(new_record(spec, now), event, outcome, now)
    if spec.run.generation < record.generation:
        return Decision(None, (Acknowledge(),))  # an older generation has no say in what a newer one does
    if spec.run.generation > record.generation and record.status is not Status.SUCCEEDED:
        # Without a record of this end, the newer generation's message would bring the action back.
        record = recover(record, replace(record.spec, run=spec.run), now)
    if record.outcome is not None:
        return Decision(None, end_effects(record, record.spec, record.outcome))
    return end_action(record, event, outcome, now)


def _busy_s(record: ActionRecord, now: float) -> float:
    """Return for how long somebody holds an action, or its backoff keeps everybody off it."""
    if record.status is Status.RUNNING and record.lease is not None:
        return record.lease.expires_at - now
    return record.not_before - now if record.status is Status.QUEUED else 0.0
