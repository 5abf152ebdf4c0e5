"""Steps that several commands take with a record: it begins, is recovered, ends."""

from __future__ import annotations

from dataclasses import replace

from upwell._core.commands import Acknowledge, Decision, Effect, Remember, Reply, StopChildren
from upwell._core.model import ActionRecord, ActionSpec, Attempt, ErrorInfo, Outcome, Status
from upwell._core.states import Event, next_status


def new_record(spec: ActionSpec, now: float) -> ActionRecord:
    """Return the record of an action that nobody has claimed yet."""
    return ActionRecord(spec=spec, status=Status.NEW, version=0, generation=spec.run.generation, created_at=now)


def recover(record: ActionRecord, spec: ActionSpec, now: float) -> ActionRecord:
    """Return an action that a newer generation takes from an older one, whatever became of it there."""
    return replace(
        record,
        spec=spec,
        status=next_status(record.status, Event.RECOVERED),
        generation=spec.run.generation,
        attempts=end_open_attempt(record, "lost", _heard_of_until(record, now)),
        failures=0,
        losses=0,
        not_before=0.0,
        suspension=None,
        outcome=None,
        started_at=None,
        ended_at=None,
    )


def _heard_of_until(record: ActionRecord, now: float) -> float:
    """Return until when an executor may have been at work that was not heard of since."""
    return now if record.lease is None else min(now, record.lease.expires_at)


def end_action(record: ActionRecord, event: Event, outcome: Outcome, now: float) -> Decision:
    """End an action, whoever ends it."""
    end = {Event.SUCCEEDED: "succeeded", Event.ABORTED: "aborted", Event.TIMED_OUT: "timed out"}
    ended = replace(
        record,
        status=next_status(record.status, event),
        version=record.version + 1,
        ended_at=now,
        outcome=outcome,
        attempts=end_open_attempt(record, end.get(event, "failed"), now, outcome.error),
    )
    return Decision(ended, end_effects(ended, ended.spec, outcome))


def end_effects(record: ActionRecord, spec: ActionSpec, outcome: Outcome) -> tuple[Effect, ...]:
    """Return what an end brings about; the same, however often it is asked for."""
    effects: list[Effect] = []
    is_new = record.cached_from is None
    if outcome.output is not None and record.spec.task.cache_key is not None and is_new:
        effects.append(Remember(outcome.output))
    if outcome.status is not Status.SUCCEEDED and record.attempts:
        effects.append(StopChildren())
    wakes = record.spec.parent_sleeps or spec.parent_sleeps
    return (*effects, Reply(outcome, wakes), Acknowledge())


def end_open_attempt(
    record: ActionRecord, end: str, now: float, error: ErrorInfo | None = None, note: str = ""
) -> tuple[Attempt, ...]:
    """Return a record's attempts, of which none is open any more."""
    if not record.attempts or record.attempts[-1].ended_at is not None:
        return record.attempts
    ended = replace(record.attempts[-1], ended_at=now, end=end, error=error, note=note)
    return (*record.attempts[:-1], ended)
