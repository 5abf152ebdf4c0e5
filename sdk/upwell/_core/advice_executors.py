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
    cold = [s for s in case.spans if s.executor.kind == "lambda" and s.phases.start_s + s.phases.bundle_s > 0]
    started = [span for span in cold if span.phases.start_s > 0]
    start_s = math.fsum(span.phases.start_s + span.phases.bundle_s for span in cold)
    busy_s = case.task.runtime.sum + start_s
    if len(started) < MIN_COLD_STARTS or start_s < MIN_COLD_SHARE * busy_s:
        return None
    load = case.profile.loads.get(case.records[0].spec.task.pool)
    peak = load.peak if load is not None else 1
    text = (
        f"reuse containers: {len(started)} of {len(case.spans)} attempts waited for a new executor, and starts "
        f"with loading the code took {start_s / busy_s:.0%} of their time; "
        f"reusable=ReusePolicy(replicas=(1, {peak})) makes t = 0 but for the first"
    )
    return case.advice(
        "reuse",
        text,
        wall_s=case.path_s("start", "bundle"),
        busy_s=start_s,
        cold_starts=len(started),
        start_s=start_s,
        share=start_s / busy_s,
        peak=peak,
    )


def concurrency(case: Case) -> Advice | None:
    """Calls wait while all slots are taken for most of the time."""
    load = case.profile.loads.get(case.records[0].spec.task.pool)
    limits = case.records[0].spec.task.limits
    waited = [span for span in case.spans if span.slot_wait_s > 0]
    is_bounded = bool(limits) or any(span.executor.kind == "worker" for span in case.spans)
    if load is None or not is_bounded or len(waited) < MIN_WAITS or load.full_share < MIN_FULL_SHARE:
        return None
    slot_s = math.fsum(span.slot_wait_s for span in waited)
    if slot_s < MIN_SLOT_SHARE * case.task.runtime.sum:
        return None
    what = (
        f"max_concurrency= of {limits[0].scope}"
        if limits
        else "concurrency= of its ReusePolicy, or its replicas"
    )
    text = (
        f"raise concurrency: {len(waited)} calls waited {time_text(slot_s / len(waited))} on average while all "
        f"{load.peak} slots were taken, {load.full_share:.0%} of the time; if the task waits rather than "
        f"computes, raise {what} from {load.peak} to {2 * load.peak}"
    )
    return case.advice(
        "concurrency",
        text,
        wall_s=case.path_s("slot") / 2,
        busy_s=0.0,
        waited=len(waited),
        slot_wait_s=slot_s,
        peak=load.peak,
        full_share=load.full_share,
    )


def reference(case: Case) -> Advice | None:
    """Values that are large, or moving which takes long."""
    largest = mean = 0.0
    for record in case.records:
        output = record.outcome.output.size_bytes if record.outcome and record.outcome.output else 0
        largest = max(largest, record.spec.inputs.size_bytes, output)
        mean += max(record.spec.inputs.size_bytes, output) / len(case.records)
    limit = case.records[0].spec.task.max_inline_io_bytes
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
