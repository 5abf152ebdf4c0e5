"""Advice on calls: too small, too many, repeated."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from upwell._core.advice_case import Advice, Case, time_text
from upwell._core.model import ActionRecord, Payload, Status

FACTOR = 10.0
"""The rule of thumb: runtime > 10 x overhead."""
MIN_CALLS = 20
MIN_SEQUENTIAL = 10
MIN_REPEATS = 5
MAX_SIZE = 1000
SHORTEST_S = 1e-4
"""Runtimes below this are taken for it, where a batch size follows from them."""
OVERHEAD = ("queued", "claim", "bundle", "input", "output", "recorded", "noticed")


def batch(case: Case) -> Advice | None:
    """Many calls at the same time, of a task that does not run ten times as long as its overhead."""
    overhead_s, runtime_s = case.warm_overhead_s, max(case.runtime_s, SHORTEST_S)
    calls = _most_at_once(case.records)
    if calls < MIN_CALLS or runtime_s >= FACTOR * overhead_s or not case.is_leaf:
        return None
    if any(record.spec.items for record in case.records):
        return None  # a map that sizes its batches itself
    size = min(MAX_SIZE, calls, math.ceil(FACTOR * overhead_s / runtime_s))
    left = 1 - 1 / size
    path_s = case.path_s(*OVERHEAD) + case.path_s("slot") * overhead_s / (overhead_s + runtime_s)
    text = (
        f"batch more: {case.task.actions} calls run {time_text(case.runtime_s)} on average, and their overhead "
        f"2u + 2d + e is {time_text(overhead_s)}; aim for runtime > 10 x overhead with about {size} items in a "
        'call, or call it with upwell.map(..., batch="auto")'
    )
    return case.advice(
        "batch",
        text,
        wall_s=path_s * left,
        busy_s=case.held_s * len(case.spans) * left,
        actions=len(case.spans) * left,
        calls=case.task.actions,
        runtime_s=case.runtime_s,
        overhead_s=overhead_s,
        batch_size=size,
    )


def trace(case: Case) -> Advice | None:
    """Small calls one after the other from one parent, which checkpoints would do for."""
    cheap_s, overhead_s = case.task.phases["claim"].p50, case.task.overhead_s
    calls = _most_in_a_row(case.records)
    is_cacheable = any(record.spec.task.cache_key for record in case.records)
    if calls < MIN_SEQUENTIAL or case.runtime_s >= overhead_s or is_cacheable or not case.is_leaf:
        return None
    text = (
        f"use a trace: one parent makes {calls} calls one after the other that run "
        f"{time_text(case.runtime_s)}, less than their overhead of {time_text(overhead_s)}; @upwell.trace "
        "keeps their results for one write each"
    )
    wall_s = max(0.0, case.path_s(*OVERHEAD, "start", "slot") - cheap_s * len(case.spans))
    return case.advice(
        "trace",
        text,
        wall_s=wall_s,
        busy_s=max(0.0, case.held_s - cheap_s) * len(case.spans),
        actions=len(case.spans),
        calls=calls,
        runtime_s=case.runtime_s,
        overhead_s=overhead_s,
    )


def _by_parent(records: Iterable[ActionRecord]) -> Iterable[list[ActionRecord]]:
    families: dict[str | None, list[ActionRecord]] = defaultdict(list)
    for record in records:
        if record.spec.parent_id is not None and record.ended_at is not None and record.cached_from is None:
            families[record.spec.parent_id].append(record)
    return families.values()


def _most_at_once(records: Iterable[ActionRecord]) -> int:
    """Return how many calls one parent had open at the same time, at most."""
    most = 0
    for family in _by_parent(records):
        events = [(r.spec.queued_at or r.created_at, 1) for r in family]
        events += [(r.ended_at or 0.0, -1) for r in family]
        open_ = 0
        for _, change in sorted(events):
            open_ += change
            most = max(most, open_)
    return most


def _most_in_a_row(records: Iterable[ActionRecord]) -> int:
    """Return how many calls one parent made one after the other, at most; 0 if most of them overlap."""
    most = 0
    for family in _by_parent(records):
        ordered = sorted((r.spec.queued_at or r.created_at, r.ended_at or 0.0) for r in family)
        alone = 1 + sum(called >= ended for (_, ended), (called, _) in pairwise(ordered))
        if alone > len(ordered) / 2:
            most = max(most, alone)
    return most


# --- repeated calls -------------------------------------------------------------------------------------------


def cache(case: Case) -> Advice | None:
    """The same inputs again and again, with the same output."""
    groups: dict[Payload, list[ActionRecord]] = defaultdict(list)
    for record in case.records:
        spec, outcome = record.spec, record.outcome
        is_empty = spec.inputs.text in (None, "{}") and spec.inputs.blob is None
        is_cached = spec.task.cache_key is not None or record.cached_from is not None
        if is_empty or is_cached or record.status is not Status.SUCCEEDED or outcome is None:
            continue
        groups[spec.inputs].append(record)
    repeated: set[str] = set()
    for group in groups.values():
        outputs = {r.outcome.output for r in group if r.outcome is not None}
        if len(group) > 1 and len(outputs) == 1:
            repeated |= {record.spec.action_id for record in sorted(group, key=_ended)[1:]}
    if len(repeated) < MIN_REPEATS or not case.is_leaf:
        return None
    again = [span for span in case.spans if span.action_id in repeated]
    busy_s = math.fsum(span.busy_s for span in again)
    path_s = math.fsum(step.length_s for step in case.profile.path if step.action_id in repeated)
    text = (
        f"cache: {len(repeated)} of {case.task.actions} calls had inputs that another call of the run had, "
        'and the same output; cache="auto" computes each once'
    )
    return case.advice("cache", text, wall_s=path_s, busy_s=busy_s, repeats=len(repeated))


def _ended(record: ActionRecord) -> tuple[float, str]:
    return record.ended_at or 0.0, record.spec.action_id
