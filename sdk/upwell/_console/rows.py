"""Rows of a run's tree: of each action, as much as a list shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from upwell._core.action_metrics import waiting_since
from upwell._core.model import ActionRecord, Attempt
from upwell._core.timeline import Span, attempt_spans


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTimes:
    """Where the time of an attempt went, in seconds, in the order in which it passed."""

    queued: float = 0.0
    """From the call, or the latest message, to the claim."""
    start: float = 0.0
    """The executor's start, the claim, loading the code."""
    data: float = 0.0
    """Fetching and decoding the inputs."""
    run: float = 0.0
    """The task's function; 0 while it runs."""
    record: float = 0.0
    """Encoding and storing the output, recording the end."""


_PART_OF = {
    "slot": "queued",
    "queued": "queued",
    "start": "start",
    "claim": "start",
    "bundle": "start",
    "input": "data",
    "run": "run",
    "output": "record",
    "recorded": "record",
}


@dataclass(slots=True, kw_only=True)
class Facts:
    """What a list and a page of its own show of an action. Times are epoch seconds.

    Attributes:
        items: Items of a map that it runs; 0 is an ordinary call.
        children: Actions that it called; None where that is not known.
        phases: Of the last attempt.
        cached: Whether its result was found in the cache.
    """

    action_id: str
    parent_id: str | None
    task: str
    name: str
    group: str | None
    status: str
    items: int
    children: int | None = None
    queued_at: float
    started_at: float | None
    ended_at: float | None
    phases: PhaseTimes
    cached: bool
    error_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """When an attempt was sent, began and ended. Times are epoch seconds."""

    sent_at: float
    started_at: float
    ended_at: float | None
    end: str | None
    """How it ended: `failed`, `lost`, `suspended`, ...; None while it runs."""
    generation: int


@dataclass(slots=True, kw_only=True)
class Row(Facts):
    """An action in a list.

    Attributes:
        attempts: How many there were.
        tries: Where there were several, or one has ended and the action has not: the latest ones, those of
            earlier generations of the run included.
    """

    attempts: int
    tries: list[Try] = field(default_factory=list)

    @property
    def earlier(self) -> list[Try]:
        """Its attempts in earlier generations of the run."""
        return [each for each in self.tries if each.generation < self.tries[-1].generation]

    @property
    def called_at(self) -> float:
        """When it was called first; `queued_at` is of the generation that it is in."""
        return self.earlier[0].sent_at if self.earlier else self.queued_at

    def took_s(self, now: float) -> float:
        """Return how long it ran so far, in seconds; -1 before it began."""
        if self.started_at is None:
            return -1.0
        return (now if self.ended_at is None else self.ended_at) - self.started_at


def row_of(record: ActionRecord) -> Row:
    """Return the row of an action."""
    spec, error = record.spec, record.outcome.error if record.outcome is not None else None
    return Row(
        action_id=spec.action_id,
        parent_id=spec.parent_id,
        task=spec.task.name,
        name=spec.task.short_name or spec.task.name.rpartition(".")[2],
        group=spec.group,
        status=record.status.value.lower(),
        attempts=record.attempt,
        items=spec.items,
        children=_children(record),
        queued_at=spec.queued_at or record.created_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        phases=_last_phases(record),
        cached=record.cached_from is not None,
        error_code=error.code if error is not None else None,
        tries=_tries(record),
    )


def _tries(record: ActionRecord) -> list[Try]:
    if len(record.attempts) == 1 and (record.ended_at is not None or record.attempts[0].ended_at is None):
        return []
    return [
        Try(
            sent_at=waiting_since(record) if span is None else span.sent_at,
            started_at=attempt.started_at,
            ended_at=attempt.ended_at,
            end=attempt.end or None,
            generation=attempt.generation,
        )
        for attempt, span in _with_spans(record)
    ]


def _children(record: ActionRecord) -> int | None:
    """Return 0 of an action that has made no calls; of the others, its record does not say how many."""
    is_told = record.status.is_terminal and all(attempt.phases for attempt in record.attempts)
    made_calls = record.hits or any(attempt.noticed for attempt in record.attempts)
    return 0 if is_told and not made_calls else None


def phases_by_attempt(record: ActionRecord) -> list[tuple[Attempt, PhaseTimes]]:
    """Return the attempts of an action with their phases; of one that runs, what is known is its wait."""
    return [
        (attempt, _waits(record, attempt) if span is None else _times(span))
        for attempt, span in _with_spans(record)
    ]


def _with_spans(record: ActionRecord) -> list[tuple[Attempt, Span | None]]:
    """Return the attempts of an action, those that have ended with their spans; only the last one may not."""
    spans = iter(attempt_spans(record))
    return [(attempt, None if attempt.ended_at is None else next(spans)) for attempt in record.attempts]


def _waits(record: ActionRecord, attempt: Attempt) -> PhaseTimes:
    return PhaseTimes(queued=max(0.0, attempt.started_at - waiting_since(record)))


def _last_phases(record: ActionRecord) -> PhaseTimes:
    return phases_by_attempt(record)[-1][1] if record.attempts else PhaseTimes()


def _times(span: Span) -> PhaseTimes:
    times: dict[str, float] = {}
    for phase, begin, end in span.parts:
        times[_PART_OF[phase]] = times.get(_PART_OF[phase], 0.0) + end - begin
    return PhaseTimes(**{name: round(seconds, 6) for name, seconds in times.items()})
