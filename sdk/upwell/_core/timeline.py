"""The attempts of a run on one axis of time, each with its phases and what it waited for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from upwell._core.model import ActionRecord, Attempt, Executor
from upwell._core.phases import Phases

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An attempt that has ended.

    Attributes:
        sent_at: When its message was sent: the call, the backoff's end, or its being woken.
        started_at: When it was claimed.
        waiting_s: Of its run, what it waited for children.
        slot_wait_s: Of its time in the queue, while its executor had no free slot: load, no overhead.
        share: Of its executor, while it held a slot there: several attempts at the same time share one.
        is_leaf: Whether the action made no calls.
        is_measured: Whether the record has its phases; else its time counts as queued and run.
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
    share: float = 1.0
    is_leaf: bool = True
    is_measured: bool = True

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
    def busy_s(self) -> float:
        """What it took of its executor's time; a parent gives its slot back while it waits."""
        return max(0.0, self.ended_at - self.started_at - self.waiting_s) * self.share

    @property
    def overhead_s(self) -> float:
        """This attempt's share of `2u + 2d + e + t`: all but its run and the wait for a free slot."""
        return max(0.0, self.phases.total_s - self.phases.run_s - self.slot_wait_s) + self.recorded_s

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

    @property
    def run_interval(self) -> Interval:
        """When the task's function ran."""
        begin = self.started_at + self.phases.claim_s + self.phases.bundle_s + self.phases.input_s
        return begin, begin + self.phases.run_s


def spans_of(records: Sequence[ActionRecord]) -> list[Span]:
    """Return the attempts of a run that have ended, in the order in which they were claimed."""
    children: dict[str, list[Interval]] = {}
    for record in records:
        if record.spec.parent_id is not None and record.ended_at is not None:
            called_at = record.spec.queued_at or record.created_at
            children.setdefault(record.spec.parent_id, []).append((called_at, record.ended_at))
    busy = {parent: _union(intervals) for parent, intervals in children.items()}
    spans = [
        _with_children(span, busy.get(record.spec.action_id))
        for record in records
        for span in attempt_spans(record)
    ]
    return _with_shares(_with_slots(sorted(spans, key=lambda span: (span.started_at, span.action_id))))


def attempt_spans(record: ActionRecord) -> Iterator[Span]:
    """Yield the attempts of an action that have ended, as if no others had run meanwhile."""
    spec, before = record.spec, 0.0
    for attempt in record.attempts:
        if attempt.ended_at is None:
            continue
        phases = Phases.unpacked(attempt.phases) if attempt.phases else _guessed(record, attempt, before)
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
            is_measured=bool(attempt.phases),
        )
        before = attempt.ended_at


def _guessed(record: ActionRecord, attempt: Attempt, before: float) -> Phases:
    since = max(record.spec.queued_at or attempt.started_at, before)
    run_s = (attempt.ended_at or attempt.started_at) - attempt.started_at
    return Phases(queued_s=max(0.0, attempt.started_at - since), run_s=max(0.0, run_s))


def _with_children(span: Span, busy: list[Interval] | None) -> Span:
    if busy is None:
        return span
    begin, end = span.run_interval
    waiting_s = sum(max(0.0, min(end, until) - max(begin, since)) for since, until in busy)
    return replace(span, waiting_s=min(waiting_s, span.phases.run_s), is_leaf=False)


def _union(intervals: Iterable[Interval]) -> list[Interval]:
    union: list[Interval] = []
    for since, until in sorted(intervals):
        if union and since <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], until))
        else:
            union.append((since, until))
    return union


# --- slots ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How busy a pool was with leaves of the run; parents give their slots back while they wait.

    Attributes:
        peak: Attempts at the same time, at most.
        full_share: Of the time in which it was busy, the share in which it was at its peak.
    """

    peak: int
    full_share: float


def loads_of(spans: Iterable[Span]) -> dict[str, Load]:
    """Return how busy each pool was."""
    loads = {}
    for pool, some in _leaves(spans).items():
        events = _events(some)
        peak = _peak(events)
        running, since, full_s, busy_s = 0, 0.0, 0.0, 0.0
        for at, change, _ in events:
            busy_s += at - since if running else 0.0
            full_s += at - since if running == peak else 0.0
            running, since = running + change, at
        loads[pool] = Load(peak=peak, full_share=full_s / busy_s if busy_s else 0.0)
    return loads


def _with_slots(spans: list[Span]) -> list[Span]:
    """Tell what each waited for a slot: until the last time before that its executor was at its peak.

    By executor and not by pool: where a pool grows, its peak comes late.
    """
    waits: dict[int, float] = {}
    for some in _leaves_by_executor(spans).values():
        events, running, full_until = _events(some), 0, 0.0
        peak = _peak(events)
        for at, change, span in events:
            if change > 0:
                wait_s = min(max(0.0, full_until - span.sent_at), span.phases.queued_s)
                waits[id(span)] = wait_s
            elif running == peak:
                full_until = at
            running += change
    return [replace(s, slot_wait_s=waits[id(s)]) if waits.get(id(s)) else s for s in spans]


def _with_shares(spans: list[Span]) -> list[Span]:
    """Divide the time of each executor among the leaves that it ran at the same time."""
    shares: dict[int, float] = {}
    for some in _leaves_by_executor(spans).values():
        running, since, each_s = 0, 0.0, 0.0  # what one that had run from the first on would have had
        begun: dict[int, float] = {}
        for at, change, span in _events(some):
            each_s += (at - since) / running if running else 0.0
            running, since = running + change, at
            if change > 0:
                begun[id(span)] = each_s
            elif span.ended_at > span.started_at:
                shares[id(span)] = (each_s - begun[id(span)]) / (span.ended_at - span.started_at)
    return [replace(span, share=min(1.0, shares.get(id(span), 1.0))) for span in spans]


def _leaves(spans: Iterable[Span]) -> dict[str, list[Span]]:
    by_pool: dict[str, list[Span]] = {}
    for span in spans:
        if span.is_leaf:
            by_pool.setdefault(span.pool, []).append(span)
    return by_pool


def _leaves_by_executor(spans: Iterable[Span]) -> dict[Executor, list[Span]]:
    by_executor: dict[Executor, list[Span]] = {}
    for span in spans:
        if span.is_leaf:
            by_executor.setdefault(span.executor, []).append(span)
    return by_executor


def _events(spans: Iterable[Span]) -> list[tuple[float, int, Span]]:
    """Return begins and ends in order; at the same time, ends first."""
    events = [(s.started_at, 1, s) for s in spans] + [(s.ended_at, -1, s) for s in spans]
    return sorted(
        events, key=lambda event: (event[0], event[1] if event[2].ended_at > event[2].started_at else 0)
    )


def _peak(events: Iterable[tuple[float, int, Span]]) -> int:
    running = peak = 0
    for _, change, _ in events:
        running += change
        peak = max(peak, running)
    return peak
