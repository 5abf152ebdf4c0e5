"""What happens to an action, as a pure function: `decide(record, command, now) -> Decision`.

The caller writes `decision.record` under the condition that the version it read is still the stored one, and
carries out the effects only after that write succeeded. When it lost the race it reads again and asks again.
Repeating a command that already took effect gives the same effects and no write, so every step can be repeated
after a crash.
"""

from __future__ import annotations

from dataclasses import replace

from upwell._core.bounds import too_late
from upwell._core.commands import (
    Abort,
    Acknowledge,
    Claim,
    Command,
    Decision,
    Extend,
    Finish,
    GiveUp,
    LookAgain,
    Lose,
    Postpone,
    Release,
    Resend,
    Run,
    Stop,
    Subscribe,
    Suspend,
    TimeOut,
    Wake,
)
from upwell._core.model import (
    ATTEMPTS_KEPT,
    WARNINGS_KEPT,
    ActionRecord,
    ActionSpec,
    ActionWarning,
    Attempt,
    ErrorInfo,
    Outcome,
    Status,
    Suspension,
)
from upwell._core.outside import end_from_outside, give_up, subscribe, time_out, wake
from upwell._core.retry import retry_delay_s
from upwell._core.states import Event, next_status
from upwell._core.steps import end_action, end_effects, end_open_attempt, new_record, recover

WAITS_PER_MESSAGE = 5
"""A message that waits for a place is hidden again: one request, and no copy where it fails. At the last of so
many receives it is sent anew: what fails later must not find the receives before its dead letter used up."""
STALE = Decision(None, (Stop(),))
GIVEN_BACK = (Resend(0.0), Acknowledge())
"""Sent anew and not just shown again: that would count as a failed delivery, of which a message has ten."""


def decide(record: ActionRecord | None, command: Command, now: float) -> Decision:
    """Return what a command does to an action.

    Args:
        record: The stored record; None when there is none.
        command: What is asked.
        now: The time, epoch seconds.
    """
    match command:
        case Claim():
            return _claim(record, command, now)
        case Extend():
            return _extend(record, command)
        case Finish():
            return _finish(record, command, now)
        case Release():
            return _release(record, command, now)
        case Lose():
            return _lose(record, command, now)
        case Suspend():
            return _suspend(record, command, now)
        case Wake():
            return wake(record, command, now)
        case Subscribe():
            return subscribe(record, command.spec, now)
        case Abort():
            error = ErrorInfo(code="ActionAbortedError", message=command.reason, recoverable=False)
            return end_from_outside(record, command.spec, Status.ABORTED, Event.ABORTED, error, now)
        case GiveUp():
            return give_up(record, command, now)
        case TimeOut():
            return time_out(record, command, now)


def _claim(record: ActionRecord | None, command: Claim, now: float) -> Decision:
    spec = command.spec
    if record is not None and _is_claimed_by(record, command):
        return Decision(None, (Run(),))  # our own claim, whose answer was lost
    if command.lease.expires_at <= now:
        return Decision(None)  # received so long ago that somebody else may have the message, and let go of it
    if record is None:
        return _start(new_record(spec, now), command, now)
    if spec.run.generation < record.generation:
        return Decision(None, (Acknowledge(),))  # a message of a generation that was recovered since
    if spec.run.generation > record.generation and record.status is not Status.SUCCEEDED:
        recovered = recover(record, spec, now)
        return _start(recovered, command, now)
    if record.outcome is not None:
        return Decision(None, end_effects(record, spec, record.outcome))
    if record.status is Status.RUNNING:
        assert record.lease is not None  # RUNNING always has one
        if record.lease.expires_at > now:
            return Decision(None, (Postpone(record.lease.expires_at - now),))
        return _take_over(record, command, now)
    if record.not_before > now:
        return Decision(None, (Postpone(record.not_before - now),))
    return _start(_informed(record, spec), command, now)


def _is_claimed_by(record: ActionRecord, command: Claim) -> bool:
    return record.status is Status.RUNNING and _held_last(record, command.lease.id)


def _informed(record: ActionRecord, spec: ActionSpec) -> ActionRecord:
    """Return a record with what its message says, if its parent wrote it and did not know the inputs."""
    inputs = record.spec.inputs
    if inputs.text is None and inputs.blob is None:
        return replace(record, spec=replace(spec, parent_sleeps=record.spec.parent_sleeps))
    return record


def _take_over(record: ActionRecord, command: Claim, now: float) -> Decision:
    lost = _lost(record, None, now)
    if lost.losses > command.max_losses:
        worker = record.attempts[-1].executor
        return _too_many_losses(lost, f"the last one {worker.kind} {worker.id}", now)
    return _start(replace(lost, status=next_status(record.status, Event.LEASE_EXPIRED)), command, now)


def _lost(record: ActionRecord, error: ErrorInfo | None, now: float) -> ActionRecord:
    return replace(record, losses=record.losses + 1, attempts=end_open_attempt(record, "lost", now, error))


def _too_many_losses(record: ActionRecord, last: str, now: float) -> Decision:
    error = ErrorInfo(
        code="RuntimeSystemError",
        message=f"lost {record.losses} executors in a row, {last}",
        kind="system",
        recoverable=False,
    )
    return end_action(record, Event.FAILED, Outcome(status=Status.FAILED, error=error), now)


def _start(record: ActionRecord, command: Claim, now: float) -> Decision:
    late = too_late(record, now)
    if late is not None:
        outcome = Outcome(status=Status.TIMED_OUT, error=late)
        return end_action(record, Event.TIMED_OUT, outcome, now)
    if command.wait_s is not None:
        if command.received < WAITS_PER_MESSAGE:
            return Decision(None, (Postpone(command.wait_s),))
        return Decision(None, (Resend(command.wait_s), Acknowledge()))
    number = record.attempt + (0 if record.is_resumed else 1)
    attempt = Attempt(number=number, executor=command.executor, started_at=now, generation=record.generation)
    started = replace(
        record,
        status=next_status(record.status, Event.CLAIMED),
        version=record.version + 1,
        lease=command.lease,
        started_at=record.started_at or now,
        task_token=command.task_token or record.task_token,
        attempts=(*record.attempts, attempt)[-ATTEMPTS_KEPT:],
    )
    return Decision(started, (Run(),))


def _extend(record: ActionRecord | None, command: Extend) -> Decision:
    if record is None or not _holds(record, command.lease.id):
        return STALE
    hits = _more(record.hits, command.hits)
    return Decision(replace(record, version=record.version + 1, lease=command.lease, hits=hits))


def _finish(record: ActionRecord | None, command: Finish, now: float) -> Decision:
    if record is None:
        return STALE
    if not _holds(record, command.lease_id):
        return _repeated_finish(record, command, now)
    record = _measured(_warned(record, command.warnings), command)
    if command.outcome.error is None:
        if command.cached_from is not None:
            record = replace(record, cached_from=command.cached_from, cached_at=command.cached_at)
        return end_action(record, Event.SUCCEEDED, command.outcome, now)
    return _failed(record, command.outcome, command.outcome.error, now)


def _repeated_finish(record: ActionRecord, command: Finish, now: float) -> Decision:
    if not _held_last(record, command.lease_id):
        return STALE
    if record.outcome is not None:
        return _repeated_finish_of(record)
    if record.status is Status.QUEUED and record.attempts[-1].end == "failed":
        return Decision(None, (Resend(max(0.0, record.not_before - now)), Acknowledge()))
    return STALE


def _repeated_finish_of(record: ActionRecord) -> Decision:
    if record.outcome is None or record.status is Status.ABORTED:
        return STALE
    return Decision(None, end_effects(record, record.spec, record.outcome))


def _failed(record: ActionRecord, ended: Outcome, error: ErrorInfo, now: float) -> Decision:
    end = ended.status
    failures = record.failures + 1
    delay_s = retry_delay_s(record.spec.task.retry, failures, error)
    deadline_s = record.spec.task.bounds.deadline_s
    if delay_s is not None and deadline_s is not None and now + delay_s > record.spec.queued_at + deadline_s:
        delay_s = None
    if delay_s is None:
        # Not by the error's code: a child's timeout that passes through its parent has the same.
        event = Event.TIMED_OUT if end is Status.TIMED_OUT else Event.FAILED
        status = Status.TIMED_OUT if end is Status.TIMED_OUT else Status.FAILED
        outcome = Outcome(status=status, error=error, output=ended.output, ran_s=ended.ran_s)
        return end_action(replace(record, failures=failures), event, outcome, now)
    retried = replace(
        record,
        status=next_status(record.status, Event.RETRIED),
        version=record.version + 1,
        failures=failures,
        not_before=now + delay_s,
        attempts=end_open_attempt(record, "failed", now, error),
    )
    return Decision(retried, (Resend(delay_s), Acknowledge()))


def _release(record: ActionRecord | None, command: Release, now: float) -> Decision:
    if record is None or not _held_last(record, command.lease_id):
        return STALE
    if record.status is Status.QUEUED and record.attempts[-1].end == "released":
        return Decision(None, GIVEN_BACK)
    if record.status is not Status.RUNNING:
        return STALE
    released = replace(
        record,
        status=next_status(record.status, Event.RELEASED),
        version=record.version + 1,
        attempts=end_open_attempt(record, "released", now),
    )
    return Decision(released, GIVEN_BACK)


def _lose(record: ActionRecord | None, command: Lose, now: float) -> Decision:
    if record is None or not _held_last(record, command.lease_id):
        return STALE
    if record.outcome is not None:
        return _repeated_finish_of(record)
    if record.status is Status.QUEUED and record.attempts[-1].end == "lost":
        return Decision(None, GIVEN_BACK)
    if record.status is not Status.RUNNING:
        return STALE
    lost = _lost(record, command.error, now)
    if lost.losses > command.max_losses:
        return _too_many_losses(lost, command.error.message, now)
    queued = replace(lost, status=next_status(record.status, Event.LOST), version=record.version + 1)
    return Decision(queued, GIVEN_BACK)


def _suspend(record: ActionRecord | None, command: Suspend, now: float) -> Decision:
    if record is None or not _held_last(record, command.lease_id):
        return STALE
    if record.status is Status.SUSPENDED:
        return Decision(None, (LookAgain(), Acknowledge()))
    if record.status is not Status.RUNNING:
        return STALE
    record = _measured(record, command)
    suspension = Suspension(
        attempt=record.attempt,
        count=(record.suspension.count if record.suspension else 0) + 1,
        open_children=command.open_children,
        waiting_since=command.waiting_since,
        task_token=command.task_token,
    )
    suspended = replace(
        _warned(record, command.warnings),
        status=next_status(record.status, Event.SUSPENDED),
        version=record.version + 1,
        suspension=suspension,
        attempts=end_open_attempt(record, "suspended", now, note=command.note),
    )
    return Decision(suspended, (LookAgain(), Acknowledge()))


def _warned(record: ActionRecord, warnings: tuple[ActionWarning, ...]) -> ActionRecord:
    """Return a record with new warnings: the first of its kind in each attempt, the latest few in all."""
    known = {(warning.code, warning.attempt) for warning in record.warnings}
    new = tuple(warning for warning in warnings if (warning.code, warning.attempt) not in known)
    return replace(record, warnings=(*record.warnings, *new)[-WARNINGS_KEPT:]) if new else record


def _measured(record: ActionRecord, command: Finish | Suspend) -> ActionRecord:
    """Return a record that says where the time of its latest attempt went, and what the cache saved it."""
    if command.hits:
        record = replace(record, hits=_more(record.hits, command.hits))
    if not command.phases or not record.attempts:
        return record
    measured = replace(record.attempts[-1], phases=command.phases, noticed=command.noticed)
    return replace(record, attempts=(*record.attempts[:-1], measured))


def _more(known: dict[str, int], told: dict[str, int]) -> dict[str, int]:
    """Return counts that only grow: an attempt that has not read the whole journal yet knows of fewer."""
    return {task: max(known.get(task, 0), told.get(task, 0)) for task in known | told}


def _holds(record: ActionRecord, lease_id: str) -> bool:
    return record.status is Status.RUNNING and _held_last(record, lease_id)


def _held_last(record: ActionRecord, lease_id: str) -> bool:
    """Whether the latest attempt, running or not, was this lease's."""
    return record.lease is not None and record.lease.id == lease_id
