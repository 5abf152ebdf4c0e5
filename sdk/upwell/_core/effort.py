"""What one action took, as its record tells: time by phase, writes and requests, its inputs' digest.

It follows from the record alone, so that efforts are added up and taken off in any order (`efforts`). All
numbers are whole, times are microseconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from upwell._core.model import ROOT_ID, ActionRecord, Attempt, Payload, Status
from upwell._core.record_size import record_bytes
from upwell._core.timeline import Span, attempt_spans
from upwell._core.usage import sqs_units, write_units

PHASES = ("slot", "queued", "start", "claim", "bundle", "input", "run", "output", "recorded")
LENGTHS = ("own", *PHASES)
"""What is known of an attempt: how long it ran without its waits, and its phases."""
AWAKE_US = 5_000_000
"""How long a parent stays in a process that it could leave, each time it waits."""
GOOD_ENDS = frozenset({"succeeded", "suspended", "released"})
ENTRY_BYTES = 250
"""Of a child's end in its parent's journal, besides its output."""
CACHE_ENTRY_BYTES = 800
"""Of a kept result, besides the result: what its key was made of, twice."""
DIGEST_BITS = 40


class Amounts(NamedTuple):
    """What adds up of a task's actions. Of an action that runs, heartbeats do not count yet."""

    actions: int = 0
    cached: int = 0
    attempts: int = 0
    awakenings: int = 0
    run_us: int = 0
    """Of attempts that have ended; of one that was suspended, at most 5 s each time it was awake."""
    open: int = 0
    open_since_us: int = 0
    """When those that run began, added up."""
    writes: int = 0
    sized: int = 0
    sized_bytes: int = 0
    """Of the records of `sized` actions that have ended: those in the first shards of journals."""
    messages: int = 0
    heartbeats: int = 0
    replies: int = 0
    reply_units: int = 0
    scheduled: int = 0
    keyed: int = 0
    kept: int = 0
    kept_units: int = 0
    blobs: int = 0
    ended: int = 0
    """Attempts that have."""
    failed: int = 0
    measured: int = 0
    parents: int = 0
    """Attempts of actions that made calls."""
    starts: int = 0
    cold: int = 0
    """Attempts on Lambda that waited for a start."""
    cold_us: int = 0
    """Of attempts on Lambda: starts, with loading the code."""
    on_workers: int = 0
    slot_waits: int = 0
    busy_us: int = 0
    held_us: int = 0
    """Of that, what an attempt did not run."""
    overhead_us: int = 0
    lasted_us: int = 0
    """From the calls of actions to their ends."""
    bytes: int = 0
    """The larger one of each action's inputs and output."""
    items: int = 0
    """Actions of maps that size their batches."""
    repeatable: int = 0
    """Actions whose inputs' repetitions are looked for."""


class Try(NamedTuple):
    """An attempt that has ended."""

    started_ms: int
    ended_ms: int
    is_leaf: bool
    lengths: tuple[int, ...]
    """By `LENGTHS`; the first one alone where its phases are not known."""


class Heard(NamedTuple):
    """What a parent heard of its children of one task."""

    task: str
    children: int
    late_us: int
    latest_us: int
    waited_us: int
    """Its share of the time for which the parent waited."""


class Effort(NamedTuple):
    """What one action took."""

    pool: str
    amounts: Amounts
    tries: tuple[Try, ...] = ()
    heard: tuple[Heard, ...] = ()
    largest_bytes: int = 0
    inline_bytes: int = 0
    """What its values may have."""
    scope: str = ""
    """Of the first limit that bounds it."""
    repeatable: tuple[int, int] | None = None
    """Digests of inputs and output, where the same inputs could be computed once."""


def effort_of(record: ActionRecord) -> Effort:
    """Return what an action took, as far as its record tells."""
    spec, outcome = record.spec, record.outcome
    spans = list(attempt_spans(record))
    output = outcome.output if outcome is not None else None
    largest = max(spec.inputs.size_bytes, output.size_bytes if output is not None else 0)
    return Effort(
        pool=spec.task.pool,
        amounts=_amounts(record, spans, largest),
        tries=tuple(map(_try, spans)),
        heard=tuple(_heard(record.attempts, spans)),
        largest_bytes=largest,
        inline_bytes=spec.task.max_inline_io_bytes,
        scope=spec.task.limits[0].scope if spec.task.limits else "",
        repeatable=_repeatable(record),
    )


def _amounts(record: ActionRecord, spans: Sequence[Span], largest_bytes: int) -> Amounts:
    spec, attempt = record.spec, record.attempt
    is_open = bool(record.attempts) and record.attempts[-1].ended_at is None
    output = record.outcome.output if record.outcome is not None else None
    output_bytes = 0 if output is None or output.blob is not None else output.size_bytes
    is_child, is_over = spec.action_id != ROOT_ID, record.outcome is not None
    is_kept = spec.task.cache_key is not None and record.cached_from is None and output is not None
    is_sized = record.status.is_terminal and spec.shard == 0
    writes = min(record.version, max(1, 2 * attempt - 1)) if is_open else record.version
    measured = [span for span in spans if span.is_measured]
    on_lambda = [span for span in spans if span.executor.kind == "lambda"]
    called_at = spec.queued_at or record.created_at
    return Amounts(
        actions=1,
        cached=int(record.cached_from is not None),
        attempts=attempt,
        awakenings=record.suspension.count if record.suspension is not None else 0,
        run_us=_run_us(record),
        open=int(is_open),
        open_since_us=_us(record.attempts[-1].started_at) if is_open else 0,
        writes=writes,
        sized=int(is_sized),
        sized_bytes=record_bytes(record) if is_sized else 0,
        messages=attempt * sqs_units(spec.inputs.size_bytes if spec.inputs.blob is None else 0),
        heartbeats=max(0, writes - 2 * attempt) if record.attempts else 0,
        replies=int(is_over and is_child),
        reply_units=write_units(ENTRY_BYTES + output_bytes) if is_over and is_child else 0,
        scheduled=int(is_child),
        keyed=int(spec.task.cache_key is not None),
        kept=int(is_kept),
        kept_units=write_units(CACHE_ENTRY_BYTES + output_bytes) if is_kept else 0,
        blobs=(spec.inputs.blob is not None) + (output is not None and output.blob is not None),
        ended=len(spans),
        failed=sum(span.end not in GOOD_ENDS for span in spans),
        measured=len(measured),
        parents=sum(not span.is_leaf for span in spans),
        starts=sum(span.phases.start_s > 0 for span in measured),
        cold=sum(span.phases.start_s > 0 for span in on_lambda),
        cold_us=sum(_us(span.phases.start_s + span.phases.bundle_s) for span in on_lambda),
        on_workers=sum(span.executor.kind == "worker" for span in spans),
        slot_waits=sum(span.slot_wait_s > 0 for span in spans),
        busy_us=sum(_us(span.busy_s) for span in spans),
        held_us=sum(_us(_held_s(span)) for span in spans),
        overhead_us=sum(_us(span.overhead_s) for span in measured),
        lasted_us=max(0, _us((record.ended_at or called_at) - called_at)) if is_child and is_over else 0,
        bytes=largest_bytes,
        items=int(spec.items > 0),
        repeatable=int(_repeatable(record) is not None),
    )


def _run_us(record: ActionRecord) -> int:
    """Return how long the attempts of an action that have ended had an executor."""
    lengths = [
        max(0, _us(attempt.ended_at - attempt.started_at)) if attempt.ended_at is not None else 0
        for attempt in record.attempts
    ]
    if lengths and record.suspension is not None and record.suspension.attempt == record.attempt:
        lengths[-1] = min(lengths[-1], (record.suspension.count + 1) * AWAKE_US)
    return sum(lengths)


def _held_s(span: Span) -> float:
    """Return what an attempt took of its executor's time without running."""
    held_s = span.busy_s + span.shared_s
    return max(0.0, span.busy_s - span.own_s * span.busy_s / held_s) if held_s else 0.0


def _try(span: Span) -> Try:
    lengths = {name: end - begin for name, begin, end in span.parts} if span.is_measured else {}
    phases = tuple(_us(lengths.get(phase, 0.0)) for phase in PHASES) if span.is_measured else ()
    return Try(
        started_ms=round(span.started_at * 1000),
        ended_ms=round(span.ended_at * 1000),
        is_leaf=span.is_leaf,
        lengths=(_us(span.own_s), *phases),
    )


def _heard(attempts: Sequence[Attempt], spans: Sequence[Span]) -> Iterator[Heard]:
    sums: dict[str, list[int]] = {}
    for attempt in attempts:
        for task, children, sum_s, max_s in attempt.noticed:
            known = sums.setdefault(task, [0, 0, 0])
            known[0] += children
            known[1] += _us(sum_s)
            known[2] = max(known[2], _us(max_s))
    waited_us, total = sum(_us(span.waiting_s) for span in spans), sum(n for n, _, _ in sums.values())
    for task, (children, late_us, latest_us) in sorted(sums.items()):
        yield Heard(task, children, late_us, latest_us, waited_us * children // max(1, total))


def _repeatable(record: ActionRecord) -> tuple[int, int] | None:
    inputs, outcome = record.spec.inputs, record.outcome
    is_empty = inputs.text in (None, "{}") and inputs.blob is None
    is_cached = record.spec.task.cache_key is not None or record.cached_from is not None
    if is_empty or is_cached or outcome is None or record.status is not Status.SUCCEEDED:
        return None
    return _digest(inputs, DIGEST_BITS), _digest(outcome.output, 24)


def _digest(payload: Payload | None, bits: int) -> int:
    content = repr(None if payload is None else (payload.text, payload.blob)).encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=bits // 8).digest())


def _us(seconds: float) -> int:
    return round(seconds * 1e6)
