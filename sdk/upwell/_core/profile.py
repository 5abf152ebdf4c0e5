"""Where the time of a run went: what `upwell profile` shows, worked out from the records of its actions.

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
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from upwell._core.cost import CostTally, TaskCost
from upwell._core.critical_path import Step, critical_path
from upwell._core.model import ActionRecord, RunRecord
from upwell._core.phases import Noticed, merged
from upwell._core.prices import price
from upwell._core.timeline import Load, Span, loads_of, spans_of

PHASES = ("slot", "queued", "start", "claim", "bundle", "input", "run", "output", "recorded")


class Spread(NamedTuple):
    """How values are spread, in seconds."""

    p50: float = 0.0
    p90: float = 0.0
    p99: float = 0.0
    max: float = 0.0
    sum: float = 0.0

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of values, by nearest rank."""
        if not values:
            return cls()
        ranked = sorted(values)
        p50, p90, p99 = (ranked[max(0, math.ceil(q * len(ranked)) - 1)] for q in (0.5, 0.9, 0.99))
        return cls(p50, p90, p99, ranked[-1], math.fsum(ranked))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProfile:
    """Where the time of a run went.

    Attributes:
        wall_s: From the submission to the end, or to the latest end of an attempt.
        busy_s: Executor time, all attempts together.
        tasks: By the time that they took, longest first.
        path: The critical path; empty while the run goes on.
        loads: By pool.
        spans: All attempts that have ended.
    """

    run_id: str
    wall_s: float
    busy_s: float
    usd: float
    tasks: tuple[TaskProfile, ...]
    path: tuple[Step, ...]
    loads: Mapping[str, Load]
    spans: tuple[Span, ...]


def profile_of(run: RunRecord, records: Sequence[ActionRecord], now: float) -> RunProfile:
    """Work out where the time of a run went.

    Args:
        run: The run.
        records: Its actions.
        now: The time, epoch seconds.
    """
    spans = spans_of(records)
    tally = CostTally(run, now)
    for record in records:
        tally.add(record)
    cost = tally.cost()
    tasks_usd = math.fsum(task.usd for task in cost.tasks.values())
    noticed = merged(one for r in records for attempt in r.attempts for one in attempt.noticed)
    late_s = {task: one.sum_s / one.children for task, one in noticed.items() if task}
    by_task: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_task[span.task].append(span)
    actions = Counter(record.spec.task.name for record in records)
    cached = Counter(record.spec.task.name for record in records if record.cached_from is not None)
    began_at = run.began_at
    ended_at = run.ended_at or max((span.ended_at for span in spans), default=began_at)
    busy_s = math.fsum(span.busy_s for span in spans)
    tasks = [
        _task(
            task,
            by_task[task],
            actions=n,
            cached=cached[task],
            noticed=noticed.get(task, Noticed(task, 0, 0.0, 0.0)),
            cost=cost.tasks[task],
            tasks_usd=tasks_usd,
        )
        for task, n in actions.items()
    ]
    path = critical_path(records, spans, late_s)
    return RunProfile(
        run_id=run.spec.run_id,
        wall_s=max(0.0, ended_at - began_at),
        busy_s=busy_s,
        usd=cost.bill.usd,
        tasks=tuple(sorted(tasks, key=lambda t: (-t.cost_share, t.task))),
        path=tuple(path),
        loads=loads_of(spans),
        spans=tuple(spans),
    )


def _task(
    task: str,
    spans: list[Span],
    *,
    actions: int,
    cached: int,
    noticed: Noticed,
    cost: TaskCost,
    tasks_usd: float,
) -> TaskProfile:
    measured = [span for span in spans if span.is_measured]
    values: dict[str, list[float]] = {phase: [] for phase in PHASES}
    for span in measured:
        lengths = {name: end - begin for name, begin, end in span.parts}
        for phase in PHASES:
            values[phase].append(lengths.get(phase, 0.0))
    runtime = Spread.of([span.own_s for span in spans])
    late_s = noticed.sum_s / noticed.children if noticed.children else 0.0
    overhead_s = math.fsum(s.overhead_s for s in measured) / len(measured) + late_s if measured else 0.0
    mean_s = runtime.sum / len(spans) if spans else 0.0
    return TaskProfile(
        task=task,
        actions=actions,
        cached=cached,
        attempts=len(spans),
        failed=sum(span.end not in {"succeeded", "suspended", "released"} for span in spans),
        measured=len(measured),
        runtime=runtime,
        phases={phase: Spread.of(some) for phase, some in values.items()},
        noticed=noticed,
        overhead_s=overhead_s,
        overhead_ratio=overhead_s / mean_s if mean_s else None,
        cold_starts=sum(span.phases.start_s > 0 for span in measured),
        usd=cost.usd,
        usd_per_action=price(cost.control).usd / max(1, cost.actions),
        usd_per_s=price(cost.compute).usd / cost.run_s if cost.run_s else 0.0,
        cost_share=cost.usd / tasks_usd if tasks_usd else 0.0,
    )
