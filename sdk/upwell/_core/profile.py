"""Where the time of a run went: what `upwell profile` shows, worked out from what its actions took.

The reference's rule is that the overhead of a task, `2u + 2d + e + t`, be much smaller than its runtime. Here:

| reference | phases |
|---|---|
| `u` upload of inputs and output | in `queued` (packing the inputs), `output` |
| `d` download of inputs and output | `input`, in `noticed` (the parent's reading) |
| `e` enqueueing | `queued`, `claim`, `recorded`, `noticed` |
| `t` creation of the instance | `start`, `bundle` |

The wait for a free slot (`slot`) is none of these: it is load, not overhead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from upwell._core.cost import TaskCost, cost_of
from upwell._core.critical_path import Step
from upwell._core.effort import PHASES
from upwell._core.efforts import Efforts, HeardOf, Lengths, TaskEfforts
from upwell._core.histogram import length_of, percentile
from upwell._core.load_curve import STRETCHES_MAX, LoadCurve, load_of
from upwell._core.model import RunRecord
from upwell._core.phases import Noticed
from upwell._core.prices import price


class Spread(NamedTuple):
    """How values are spread, in seconds; percentiles are by nearest rank."""

    p50: float = 0.0
    p90: float = 0.0
    p99: float = 0.0
    max: float = 0.0
    sum: float = 0.0

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of values."""
        if not values:
            return cls()
        ranked = sorted(values)
        p50, p90, p99 = (ranked[max(0, math.ceil(q * len(ranked)) - 1)] for q in (0.5, 0.9, 0.99))
        return cls(p50, p90, p99, ranked[-1], math.fsum(ranked))

    @classmethod
    def of_lengths(cls, lengths: Lengths) -> Spread:
        """Return the spread of lengths that were counted: percentiles are right to 4.5 %, or a microsecond."""
        longest_s = lengths.max_us / 1e6
        told = (percentile(lengths.buckets, q, longest_s) for q in (0.5, 0.9, 0.99))
        p50, p90, p99 = (length_s if length_s > length_of(0) else 0.0 for length_s in told)
        return cls(p50, p90, p99, longest_s, lengths.sum_us / 1e6)


class PoolLoad(NamedTuple):
    """How busy a pool was with leaves of the run; parents give their slots back while they wait."""

    peak: float = 0.0
    """Attempts at the same time: the highest mean of a stretch, of which there are at most 64."""
    full_share: float = 0.0
    """Of what such a peak, all the time that it was busy, would have been: how much there was."""

    @classmethod
    def of(cls, curve: LoadCurve) -> PoolLoad:
        """Return what a curve comes to."""
        running = [n for n in load_of(curve, _last_ms(curve) - 1, STRETCHES_MAX).running if n > 0]
        peak = max(running, default=0.0)
        return cls(peak, math.fsum(running) / (peak * len(running)) if running else 0.0)


def _last_ms(curve: LoadCurve) -> int:
    return (max(curve.stretches) + 1) << curve.bits if curve.stretches else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskProfile:
    """Where the time of one task's attempts went.

    Attributes:
        actions: How many there were; from the cache, `cached` of them.
        attempts: That have ended.
        measured: Of these, how many have phases.
        runtime: Of the task's function, without its waits for children.
        phases: By name, see `PHASES`.
        noticed: How late parents got the outcomes.
        overhead_s: Of an action, on average: `2u + 2d + e + t`.
        overhead_ratio: That, divided by the average runtime; None where there is no runtime.
        cold_starts: Attempts that waited for the start of their executor.
        usd: What it costs on AWS by the list prices, see `_core.cost`; on a laptop, what it would.
        usd_per_action: Of that, what the engine asks for each action.
        usd_per_s: Of that, what executors cost, for each second that they had an attempt.
        cost_share: Of what the run's tasks cost.
        took: What the rest comes from.
    """

    task: str
    actions: int
    cached: int
    attempts: int
    failed: int
    measured: int
    runtime: Spread
    phases: Mapping[str, Spread]
    noticed: Noticed
    overhead_s: float
    overhead_ratio: float | None
    cold_starts: int
    usd: float
    usd_per_action: float
    usd_per_s: float
    cost_share: float
    took: TaskEfforts


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProfile:
    """Where the time of a run went.

    Attributes:
        wall_s: From the submission to the end, or to the latest end of an attempt that is known.
        busy_s: Executor time, all attempts together.
        tasks: By what they cost, most first.
        path: The critical path; empty while the run goes on.
        loads: By pool.
        efforts: What all of it comes from.
    """

    run_id: str
    wall_s: float
    busy_s: float
    usd: float
    tasks: tuple[TaskProfile, ...]
    path: tuple[Step, ...]
    loads: Mapping[str, PoolLoad]
    efforts: Efforts


def profile_of(run: RunRecord, efforts: Efforts, path: Sequence[Step], now: float) -> RunProfile:
    """Work out where the time of a run went.

    Args:
        run: The run.
        efforts: What its actions took.
        path: Its critical path.
        now: The time, epoch seconds.
    """
    cost = cost_of(run, efforts, now)
    tasks_usd = math.fsum(task.usd for task in cost.tasks.values())
    tasks = [
        _task(name, _of_all_pools(efforts, name), efforts, cost.tasks[name], tasks_usd) for name in cost.tasks
    ]
    return RunProfile(
        run_id=run.spec.run_id,
        wall_s=max(0.0, (run.ended_at or efforts.last_ms / 1000) - run.began_at),
        busy_s=math.fsum(task.amounts.busy_us / 1e6 for task in efforts.tasks.values()),
        usd=cost.bill.usd,
        tasks=tuple(sorted(tasks, key=lambda t: (-t.cost_share, t.task))),
        path=tuple(path),
        loads={pool: PoolLoad.of(curve) for pool, curve in efforts.loads.items()},
        efforts=efforts,
    )


def late_s(efforts: Efforts) -> dict[str, float]:
    """Return how late parents notice the ends of children on average, by task, in seconds."""
    return {task: one.late_us / one.children / 1e6 for task, one in efforts.heard.items() if one.children > 0}


def _of_all_pools(efforts: Efforts, task: str) -> TaskEfforts:
    found = TaskEfforts()
    for (name, _), one in efforts.tasks.items():
        if name == task:
            found.add(one)
    return found


def _task(task: str, found: TaskEfforts, efforts: Efforts, cost: TaskCost, tasks_usd: float) -> TaskProfile:
    amounts, hits = found.amounts, efforts.hits.get(task, 0)
    heard = efforts.heard.get(task, HeardOf())
    runtime = Spread.of_lengths(found.lengths.get("own", Lengths()))
    measured = max(0, amounts.measured)
    late = late_s(efforts).get(task, 0.0)
    overhead_s = amounts.overhead_us / 1e6 / measured + late if measured else 0.0
    mean_s = runtime.sum / amounts.ended if amounts.ended else 0.0
    return TaskProfile(
        task=task,
        actions=amounts.actions + hits,
        cached=amounts.cached + hits,
        attempts=amounts.ended,
        failed=amounts.failed,
        measured=measured,
        runtime=runtime,
        phases={phase: Spread.of_lengths(found.lengths.get(phase, Lengths())) for phase in PHASES},
        noticed=Noticed(task, heard.children, heard.late_us / 1e6, heard.latest_us / 1e6),
        overhead_s=overhead_s,
        overhead_ratio=overhead_s / mean_s if mean_s else None,
        cold_starts=amounts.starts,
        usd=cost.usd,
        usd_per_action=price(cost.control).usd / max(1, cost.actions),
        usd_per_s=price(cost.compute).usd / cost.run_s if cost.run_s else 0.0,
        cost_share=cost.usd / tasks_usd if tasks_usd else 0.0,
        took=found,
    )
