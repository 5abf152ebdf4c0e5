"""The attempts of a run on one axis of time, each with its phases and what it waited for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from upwell._core.model import ActionRecord, Attempt, Executor
from upwell._core.phases import Phases, Waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An attempt that has ended.

    Attributes:
        sent_at: When its message was sent: the call, the backoff's end, or its being woken.
        started_at: When it was claimed.
        waiting_s: Of its run, what it waited for children.
        slot_wait_s: Of its time in the queue, while its executor had no free slot: load, no overhead.
        is_leaf: Whether the action made no calls.
        is_measured: Whether the record has its phases; else its time counts as queued and run.
        generation: The generation of the run that it was made in.
    """

    action_id: str
    parent_id: str | None
    task: str
    pool: str
    attempt: int
    executor: Executor
    end: str
    sent_at: float
    started_at: float
    ended_at: float
    phases: Phases
    waiting_s: float = 0.0
    slot_wait_s: float = 0.0
    is_leaf: bool = True
    is_measured: bool = True
    generation: int = 1

    @property
    def own_s(self) -> float:
        """How long the task's function ran without waiting for children."""
        return max(0.0, self.phases.run_s - self.waiting_s)

    @property
    def recorded_s(self) -> float:
        """What passed between the end of the output and the write of the end."""
        inside_s = self.phases.total_s - self.phases.queued_s - self.phases.start_s
        return max(0.0, self.ended_at - self.started_at - inside_s)

    @property
    def parts(self) -> Iterator[tuple[str, float, float]]:
        """The phases in order, by name, with their begin and end; those without length are left out."""
        phases, at = self.phases, self.sent_at
        lengths = [
            ("slot", self.slot_wait_s),
            ("queued", phases.queued_s - self.slot_wait_s),
            ("start", phases.start_s),
            ("claim", phases.claim_s),
            ("bundle", phases.bundle_s),
            ("input", phases.input_s),
            ("run", phases.run_s),
            ("output", phases.output_s),
            ("recorded", self.recorded_s),
        ]
        for name, length_s in lengths:
            if length_s > 0:
                yield name, at, at + length_s
                at += length_s


def spans_of(records: Iterable[ActionRecord]) -> list[Span]:
    """Return the attempts of actions that have ended, in the order in which they were claimed."""
    spans = (span for record in records for span in attempt_spans(record))
    return sorted(spans, key=lambda span: (span.started_at, span.action_id))


def attempt_spans(record: ActionRecord) -> Iterator[Span]:
    """Yield the attempts of an action that have ended."""
    spec, before = record.spec, 0.0
    made_calls = bool(record.hits) or any(attempt.noticed for attempt in record.attempts)
    for attempt in record.attempts:
        if attempt.ended_at is None:
            continue
        phases = Phases.unpacked(attempt.phases) if attempt.phases else _guessed(record, attempt, before)
        waits = Waits.unpacked(attempt.phases)
        yield Span(
            action_id=spec.action_id,
            parent_id=spec.parent_id,
            task=spec.task.name,
            pool=spec.task.pool,
            attempt=attempt.number,
            executor=attempt.executor,
            end=attempt.end,
            sent_at=attempt.started_at - phases.queued_s - phases.start_s,
            started_at=attempt.started_at,
            ended_at=max(attempt.ended_at, attempt.started_at),
            phases=phases,
            waiting_s=waits.waiting_s,
            slot_wait_s=waits.slot_s,
            is_leaf=not made_calls and not waits.waiting_s,
            is_measured=bool(attempt.phases),
            generation=attempt.generation,
        )
        before = attempt.ended_at


def _guessed(record: ActionRecord, attempt: Attempt, before: float) -> Phases:
    since = max(record.spec.queued_at or attempt.started_at, before)
    run_s = (attempt.ended_at or attempt.started_at) - attempt.started_at
    return Phases(queued_s=max(0.0, attempt.started_at - since), run_s=max(0.0, run_s))
