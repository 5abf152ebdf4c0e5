"""Advice on executors and on what goes to them: starts, slots, large values."""

from __future__ import annotations

import math

from upwell._core.advice_case import Advice, Case, time_text

MIN_COLD_STARTS = 3
MIN_COLD_SHARE = 0.2
"""Of a task's executor time, what starts have to take."""
MIN_WAITS = 20
MIN_SLOT_SHARE = 0.5
"""Wait for slots, compared with the time that the task ran."""
MIN_FULL_SHARE = 0.5
"""Of the time that a pool was busy, how much it has to be at its peak to count as full."""
NEAR_LIMIT = 0.8
"""Of `max_inline_io`: a payload above this is near it."""
LARGE_BYTES = 100_000
MIN_TRANSFER_SHARE = 0.5
"""Of a task's runtime, what uploads and downloads have to take."""


def reuse(case: Case) -> Advice | None:
    """Much of the time of ephemeral executors goes into starting them."""
    started, start_s = case.amounts.cold, case.amounts.cold_us / 1e6
    busy_s = case.task.runtime.sum + start_s
    if started < MIN_COLD_STARTS or start_s < MIN_COLD_SHARE * busy_s:
        return None
    peak = max(1, math.ceil(case.load.peak))
    text = (
        f"reuse containers: {started} of {case.task.attempts} attempts waited for a new executor, and starts "
        f"with loading the code took {start_s / busy_s:.0%} of their time; "
        f"reusable=ReusePolicy(replicas=(1, {peak})) makes t = 0 but for the first"
    )
    return case.advice(
        "reuse",
        text,
        wall_s=case.path_s("start", "bundle"),
        busy_s=start_s,
        cold_starts=started,
        start_s=start_s,
        share=start_s / busy_s,
        peak=peak,
    )


def concurrency(case: Case) -> Advice | None:
    """Calls wait while all slots are taken for most of the time."""
    load, amounts, scope = case.load, case.amounts, case.task.took.scope
    is_bounded = bool(scope) or amounts.on_workers > 0
    if not is_bounded or amounts.slot_waits < MIN_WAITS or load.full_share < MIN_FULL_SHARE:
        return None
    slot_s, peak = case.task.phases["slot"].sum, math.ceil(load.peak)
    if slot_s < MIN_SLOT_SHARE * case.task.runtime.sum:
        return None
    what = f"max_concurrency= of {scope}" if scope else "concurrency= of its ReusePolicy, or its replicas"
    text = (
        f"raise concurrency: {amounts.slot_waits} calls waited {time_text(slot_s / amounts.slot_waits)} on "
        f"average while all {peak} slots were taken, {load.full_share:.0%} of the time; if the "
        f"task waits rather than computes, raise {what} from {peak} to {2 * peak}"
    )
    return case.advice(
        "concurrency",
        text,
        wall_s=case.path_s("slot") / 2,
        busy_s=0.0,
        waited=amounts.slot_waits,
        slot_wait_s=slot_s,
        peak=peak,
        full_share=load.full_share,
    )


def reference(case: Case) -> Advice | None:
    """Values that are large, or moving which takes long."""
    largest, limit = case.task.took.largest_bytes, case.task.took.inline_bytes
    mean = case.amounts.bytes / max(1, case.amounts.actions)
    moved_s = case.task.phases["input"].sum + case.task.phases["output"].sum
    is_near = largest >= NEAR_LIMIT * limit
    is_slow = mean >= LARGE_BYTES and moved_s >= MIN_TRANSFER_SHARE * case.task.runtime.sum
    if not (is_near or is_slow):
        return None
    near = f", {largest / limit:.0%} of max_inline_io" if is_near else ""
    text = (
        f"pass by reference: values of up to {largest / 1e6:.1f} MB{near} go in and out by value, which "
        f"took {time_text(moved_s / case.task.measured)} a call (u + d); File, Directory and DataFrame move "
        "only what is read"
    )
    return case.advice(
        "reference",
        text,
        wall_s=case.path_s("input", "output"),
        busy_s=moved_s,
        largest_bytes=largest,
        moved_s=moved_s,
        **({"near_limit": 1.0} if is_near else {}),
    )
