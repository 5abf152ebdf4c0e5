"""Advice on calls: too small, too many, repeated."""

from __future__ import annotations

import math

from upwell._core.advice_case import Advice, Case, time_text

FACTOR = 10.0
"""The rule of thumb: runtime > 10 x overhead."""
MIN_CALLS = 20
MIN_SEQUENTIAL = 10
IN_A_ROW = 1.5
"""Calls that are open at once, on average, where most are made one after the other."""
MIN_REPEATS = 5
MAX_SIZE = 1000
SHORTEST_S = 1e-4
"""Runtimes below this are taken for it, where a batch size follows from them."""
OVERHEAD = ("queued", "claim", "bundle", "input", "output", "recorded", "noticed")


def batch(case: Case) -> Advice | None:
    """Many calls at the same time, of a task that does not run ten times as long as its overhead."""
    overhead_s, runtime_s = case.warm_overhead_s, max(case.runtime_s, SHORTEST_S)
    most, at_once = _calls(case)
    calls = min(most, round(2 * at_once))  # the mean of what ends evenly is half of what there was at first
    if calls < MIN_CALLS or runtime_s >= FACTOR * overhead_s or not case.is_leaf:
        return None
    if case.amounts.items > 0:
        return None  # a map that sizes its batches itself
    size = min(MAX_SIZE, calls, math.ceil(FACTOR * overhead_s / runtime_s))
    left = 1 - 1 / size
    path_s = case.path_s(*OVERHEAD) + case.path_s("slot") * overhead_s / (overhead_s + runtime_s)
    text = (
        f"batch more: {case.task.actions:,} calls run {time_text(case.runtime_s)} on average, and their "
        f"overhead 2u + 2d + e is {time_text(overhead_s)}; aim for runtime > 10 x overhead "
        f"with about {size} items in a "
        'call, or call it with upwell.map(..., batch="auto")'
    )
    return case.advice(
        "batch",
        text,
        wall_s=path_s * left,
        busy_s=case.held_s * case.task.attempts * left,
        actions=case.task.attempts * left,
        calls=case.task.actions,
        runtime_s=case.runtime_s,
        overhead_s=overhead_s,
        batch_size=size,
    )


def trace(case: Case) -> Advice | None:
    """Small calls one after the other from one parent, which checkpoints would do for."""
    cheap_s, overhead_s = case.task.phases["claim"].p50, case.task.overhead_s
    calls, at_once = _calls(case)
    is_cacheable = case.amounts.keyed > 0
    if (
        calls < MIN_SEQUENTIAL
        or at_once > IN_A_ROW
        or case.runtime_s >= overhead_s
        or is_cacheable
        or not case.is_leaf
    ):
        return None
    text = (
        f"use a trace: one parent makes {calls} calls one after the other that run "
        f"{time_text(case.runtime_s)}, less than their overhead of {time_text(overhead_s)}; @upwell.trace "
        "keeps their results for one write each"
    )
    wall_s = max(0.0, case.path_s(*OVERHEAD, "start", "slot") - cheap_s * case.task.attempts)
    return case.advice(
        "trace",
        text,
        wall_s=wall_s,
        busy_s=max(0.0, case.held_s - cheap_s) * case.task.attempts,
        actions=case.task.attempts,
        calls=calls,
        runtime_s=case.runtime_s,
        overhead_s=overhead_s,
    )


def _calls(case: Case) -> tuple[int, float]:
    """Return how many calls one parent made, at most, and how many of them were open at once, on average."""
    heard = case.profile.efforts.heard.get(case.task.task)
    if heard is None:
        return 0, 0.0
    return heard.most, case.amounts.lasted_us / heard.waited_us if heard.waited_us > 0 else 0.0


# --- repeated calls -------------------------------------------------------------------------------------------


def cache(case: Case) -> Advice | None:
    """The same inputs again and again, with the same output."""
    repeated = case.task.took.repeats.again(case.amounts.repeatable)
    if repeated < MIN_REPEATS or not case.is_leaf:
        return None
    share = min(1.0, repeated / case.task.attempts)
    about = "about " if case.task.took.repeats.is_sample else ""
    text = (
        f"cache: {about}{repeated:,} of {case.task.actions:,} calls had inputs that another call of the run "
        'had, and the same output; cache="auto" computes each once'
    )
    return case.advice(
        "cache",
        text,
        wall_s=case.path_s(*OVERHEAD, "slot", "start", "run") * share,
        busy_s=case.amounts.busy_us / 1e6 * share,
        repeats=repeated,
    )
