"""What one action took, as its record tells: time by phase, writes and requests, its inputs' digest.

It follows from the record alone, so that efforts are added up and taken off in any order (`efforts`). All
numbers are whole, times are microseconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from upwell._core.model import ROOT_ID, ActionRecord, Attempt, Outcome, Payload, Status
from upwell._core.phases import NOTHING, Waits
from upwell._core.record_size import record_bytes
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
NONE = (0,) * (len(NOTHING) + len(Waits()))


class Amounts(NamedTuple):
    """What adds up of a task's actions; first what those that run have. Their heartbeats do not count yet."""

    actions: int = 0
    attempts: int = 0
    open: int = 0
    open_since_us: int = 0
    """When those that run began, added up."""
    writes: int = 0
    messages: int = 0
    scheduled: int = 0
    bytes: int = 0
    """The larger one of each action's inputs and output."""
    keyed: int = 0
    items: int = 0
    """Actions of maps that size their batches."""
    blobs: int = 0
    awakenings: int = 0
    run_us: int = 0
    """Of attempts that have ended; of one that was suspended, at most 5 s each time it was awake."""
    heartbeats: int = 0
    replies: int = 0
    reply_units: int = 0
    lasted_us: int = 0
    """From the calls of actions to their ends."""
    repeatable: int = 0
    """Actions whose inputs' repetitions are looked for."""
    ended: int = 0
    """Attempts that have."""
    measured: int = 0
    busy_us: int = 0
    """What attempts had of their executors; a parent gives its slot back while it waits."""
    held_us: int = 0
    """Of that, what they did not run."""
    overhead_us: int = 0
    """`2u + 2d + e + t`: all but the run and the wait for a free slot."""
    parents: int = 0
    """Attempts of actions that made calls."""
    slot_waits: int = 0
    on_workers: int = 0
    failed: int = 0
    starts: int = 0
    cold: int = 0
    """Attempts on Lambda that waited for a start."""
    cold_us: int = 0
    """Of attempts on Lambda: starts, with loading the code."""
    sized: int = 0
    sized_bytes: int = 0
    """Of the records of `sized` actions that have ended: those in the first shards of journals."""
    cached: int = 0
    kept: int = 0
    kept_units: int = 0


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
    output = outcome.output if outcome is not None else None
    largest = max(spec.inputs.size_bytes, output.size_bytes if output is not None else 0)
    tried = [_Tried(record, attempt) for attempt in record.attempts if attempt.ended_at is not None]
    repeatable = _repeatable(record)
    amounts = _amounts(record, largest)
    if tried:
        amounts |= _of_attempts(record, tried, amounts["writes"] - 2 * amounts["attempts"])
    if outcome is not None:
        amounts |= _of_end(record, outcome)
        amounts["repeatable"] = int(repeatable is not None)
    return Effort(
        pool=spec.task.pool,
        amounts=Amounts(**amounts),
        tries=tuple([one.told() for one in tried]),
        heard=tuple(_heard(tried)),
        largest_bytes=largest,
        inline_bytes=spec.task.max_inline_io_bytes,
        scope=spec.task.limits[0].scope if spec.task.limits else "",
        repeatable=repeatable,
    )


def _amounts(record: ActionRecord, largest_bytes: int) -> dict[str, int]:
    """Return what adds up of an action, its attempts' time and its end aside."""
    spec, attempt, inputs = record.spec, record.attempt, record.spec.inputs
    last = record.attempts[-1] if record.attempts else None
    is_open = last is not None and last.ended_at is None
    output = record.outcome.output if record.outcome is not None else None
    return {
        "actions": 1,
        "attempts": attempt,
        "open": int(is_open),
        "open_since_us": _us(last.started_at) if last is not None and is_open else 0,
        "writes": min(record.version, max(1, 2 * attempt - 1)) if is_open else record.version,
        "messages": attempt * sqs_units(inputs.size_bytes if inputs.blob is None else 0),
        "scheduled": int(spec.action_id != ROOT_ID),
        "bytes": largest_bytes,
        "keyed": int(spec.task.cache_key is not None),
        "items": int(spec.items > 0),
        "blobs": (inputs.blob is not None) + (output is not None and output.blob is not None),
        "awakenings": record.suspension.count if record.suspension is not None else 0,
        "cached": int(record.cached_from is not None),
    }


def _of_attempts(record: ActionRecord, tried: Sequence[_Tried], heartbeats: int) -> dict[str, int]:
    """Return what adds up of attempts that have ended. One pass: each fold of an action makes it."""
    measured = busy_us = held_us = overhead_us = parents = slot_waits = 0
    on_workers = failed = starts = cold = cold_us = 0
    for one in tried:
        busy_us += one.busy_us
        held_us += one.held_us
        parents += not one.is_leaf
        slot_waits += one.slot_us > 0
        on_workers += one.executor == "worker"
        failed += one.attempt.end not in GOOD_ENDS
        if one.is_measured:
            measured += 1
            overhead_us += one.overhead_us
            starts += one.start_us > 0
        if one.executor == "lambda":
            cold += one.start_us > 0
            cold_us += one.start_us + one.bundle_us
    return {
        "run_us": _run_us(record),
        "heartbeats": max(0, heartbeats),
        "ended": len(tried),
        "measured": measured,
        "busy_us": busy_us,
        "held_us": held_us,
        "overhead_us": overhead_us,
        "parents": parents,
        "slot_waits": slot_waits,
        "on_workers": on_workers,
        "failed": failed,
        "starts": starts,
        "cold": cold,
        "cold_us": cold_us,
    }


def _of_end(record: ActionRecord, outcome: Outcome) -> dict[str, int]:
    """Return what adds up of an action's end."""
    spec, output = record.spec, outcome.output
    output_bytes = 0 if output is None or output.blob is not None else output.size_bytes
    called_at = spec.queued_at or record.created_at
    is_child, is_sized = spec.action_id != ROOT_ID, record.status.is_terminal and spec.shard == 0
    is_kept = spec.task.cache_key is not None and record.cached_from is None and output is not None
    return {
        "replies": int(is_child),
        "reply_units": is_child * write_units(ENTRY_BYTES + output_bytes),
        "lasted_us": is_child * max(0, _us((record.ended_at or called_at) - called_at)),
        "sized": int(is_sized),
        "sized_bytes": record_bytes(record) if is_sized else 0,
        "kept": int(is_kept),
        "kept_units": is_kept * write_units(CACHE_ENTRY_BYTES + output_bytes),
    }


class _Tried:
    """An attempt that has ended, and how it spent its time."""

    __slots__ = (
        "attempt",
        "bundle_us",
        "busy_us",
        "executor",
        "held_us",
        "is_leaf",
        "is_measured",
        "lengths",
        "overhead_us",
        "slot_us",
        "start_us",
        "waiting_us",
    )

    def __init__(self, record: ActionRecord, attempt: Attempt) -> None:
        self.attempt, self.executor = attempt, attempt.executor.kind
        self.is_measured = bool(attempt.phases)
        length_us = max(0, _us((attempt.ended_at or attempt.started_at) - attempt.started_at))
        packed = (*attempt.phases, *NONE)[: len(NONE)] if attempt.phases else (*NONE[:5], length_us, *NONE[6:])
        queued, start, claim, bundle, input_, run, output, waiting, slot, shared = packed
        inside = claim + bundle + input_ + output
        recorded = max(0, length_us - inside - run)
        own = max(0, run - waiting)
        self.slot_us, self.start_us, self.bundle_us, self.waiting_us = slot, start, bundle, waiting
        self.is_leaf = not (waiting or record.hits or any(one.noticed for one in record.attempts))
        self.busy_us = busy = max(0, length_us - waiting - shared)
        self.held_us = max(0, busy - own * busy // (busy + shared)) if busy else 0
        self.overhead_us = max(0, queued + start + inside - slot) + recorded
        phases = (slot, max(0, queued - slot), start, claim, bundle, input_, run, output, recorded)
        self.lengths = (own, *phases) if self.is_measured else (own,)

    def told(self) -> Try:
        """Return what is told of it."""
        begun_ms = round(self.attempt.started_at * 1000)
        ended_ms = max(begun_ms, round((self.attempt.ended_at or 0.0) * 1000))
        return Try(begun_ms, ended_ms, self.is_leaf, self.lengths)


def _run_us(record: ActionRecord) -> int:
    """Return how long the attempts of an action that have ended had an executor."""
    lengths = [
        max(0, _us(attempt.ended_at - attempt.started_at)) if attempt.ended_at is not None else 0
        for attempt in record.attempts
    ]
    if lengths and record.suspension is not None and record.suspension.attempt == record.attempt:
        lengths[-1] = min(lengths[-1], (record.suspension.count + 1) * AWAKE_US)
    return sum(lengths)


def _heard(tried: Sequence[_Tried]) -> Iterator[Heard]:
    sums: dict[str, list[int]] = {}
    for one in tried:
        for task, children, sum_s, max_s in one.attempt.noticed:
            known = sums.setdefault(task, [0, 0, 0])
            known[0] += children
            known[1] += _us(sum_s)
            known[2] = max(known[2], _us(max_s))
    if not sums:
        return
    waited_us, total = sum(one.waiting_us for one in tried), sum(n for n, _, _ in sums.values())
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
    content = b"" if payload is None else (payload.text or f"blob {payload.blob}").encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=bits // 8).digest())


def _us(seconds: float) -> int:
    return round(seconds * 1e6)
