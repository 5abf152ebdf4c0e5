"""Where the time of one action went, step by step: queue, executor, retries, waits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from upwell._core.model import ActionRecord, Attempt
from upwell._core.timeline import Span

LEAST_GAP_S = 0.001
"""What lies between two attempts and is shorter is no step."""
TEXTS = {
    "slot": "waited for a free slot of its executor",
    "queued": "in the queue of pool {pool}",
    "start": "its executor started",
    "claim": "claimed",
    "bundle": "code loaded",
    "input": "inputs fetched and decoded",
    "run": "its function ran",
    "waiting": "its function waited for children",
    "output": "output encoded and stored",
    "recorded": "end recorded",
}
GAPS = {
    "failed": "backoff before the retry",
    "lost": "until the loss of its executor was noticed",
    "suspended": "asleep, while its children were at work",
    "released": "given back by an executor that drained",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stretch of an action's time.

    Attributes:
        attempt: Number of the attempt; 0 between attempts.
        phase: `queued`, `run`, ...: the keys of `TEXTS`; or how the attempt before a gap ended.
        text: What it is, for people.
        took_s: Its length.
    """

    attempt: int
    phase: str
    text: str
    took_s: float


def steps_of(record: ActionRecord, spans: Sequence[Span]) -> list[Step]:
    """Return the stretches of an action's time in order; those of attempts that have not ended are left out.

    Of a run that was recovered they are of the generation that the action is in, as its length is.

    Args:
        record: The action.
        spans: Its attempts, as `timeline` has them.
    """
    steps: list[Step] = []
    before: Span | None = None
    own = [span for span in spans if span.generation == record.generation]
    for span in sorted(own, key=lambda each: each.started_at):
        if before is not None and span.sent_at - before.ended_at > LEAST_GAP_S:
            text = GAPS.get(before.end, "between attempts")
            steps.append(Step(attempt=0, phase=before.end, text=text, took_s=span.sent_at - before.ended_at))
        steps += _phases(span, record.spec.task.pool)
        before = span
    return steps


def _phases(span: Span, pool: str) -> Iterator[Step]:
    for phase, begin, end in span.parts:
        waiting_s = span.waiting_s if phase == "run" else 0.0
        for name, took_s in ((phase, end - begin - waiting_s), ("waiting", waiting_s)):
            if took_s > 0:
                text = TEXTS[name].format(pool=pool)
                yield Step(attempt=span.attempt, phase=name, text=text, took_s=took_s)


def remarks_on(record: ActionRecord) -> list[str]:
    """Return what besides the steps may explain the time: retries, losses, limits, an earlier generation."""
    task, remarks = record.spec.task, []
    own = [attempt for attempt in record.attempts if attempt.generation == record.generation]
    earlier = [attempt for attempt in record.attempts if attempt.generation < record.generation]
    if earlier:
        ends = ", ".join(f"{_end(attempt)} {attempt.end}" for attempt in earlier)
        remarks.append(f"before its run was recovered: {ends}")
    if record.failures:
        failed = f"{_counted(record.failures, 'failed attempt')}, {task.retry.count + 1} allowed"
        remarks.append(f"{failed}: {_ends(own, 'failed')}")
    if record.losses:
        remarks.append(f"{_counted(record.losses, 'executor')} lost: {_ends(own, 'lost')}")
    if record.suspension is not None:
        times = _counted(record.suspension.count, "time")
        remarks.append(f"suspended {times} while it waited for children")
    if task.limits:
        scopes = ", ".join(f"{limit.scope} ({limit.places})" for limit in task.limits)
        remarks.append(f"it needs a place under {scopes}; waits for one count as queued")
    if task.cache_serialize:
        remarks.append("it is serialized: the wait for an equal call counts as queued")
    return remarks


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _ends(attempts: Iterable[Attempt], end: str) -> str:
    return ", ".join(_end(attempt) for attempt in attempts if attempt.end == end) or "no longer listed"


def _end(attempt: Attempt) -> str:
    code = f" {attempt.error.code}" if attempt.error is not None else ""
    return f"attempt {attempt.number} on {attempt.executor.kind} {attempt.executor.id}{code}"
