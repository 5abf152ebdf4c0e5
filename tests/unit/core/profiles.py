"""Builders of runs that have ended, for the tests of profiles: a root, and calls of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from upwell._core.cost import efforts_of
from upwell._core.critical_path import critical_path
from upwell._core.model import (
    ActionRecord,
    ActionSpec,
    Attempt,
    Executor,
    Limit,
    Outcome,
    Payload,
    RunRecord,
    RunSpec,
    Status,
    TaskSpec,
)
from upwell._core.phases import Noticed, Phases, Waits
from upwell._core.profile import RunProfile, late_s, profile_of

T0 = 1000.0
LATER = 1e6
RUN = RunSpec(run_id="run", created_at=T0)
LOCAL = Executor(kind="local", id="here")
NO_WAITS = Waits()


def ran(
    action_id: str,
    *,
    at: float,
    task: str = "env.child",
    parent: str | None = "a0",
    queued: float = 0.001,
    start: float = 0.0,
    claim: float = 0.001,
    bundle: float = 0.0,
    input: float = 0.001,  # noqa: A002  # the phase's name
    run: float = 0.1,
    output: float = 0.001,
    recorded: float = 0.001,
    waits: Waits = NO_WAITS,
    executor: Executor = LOCAL,
    inputs: Payload | None = None,
    result: Payload | None = None,
    noticed: tuple[Noticed, ...] = (),
    measured: bool = True,
    limits: tuple[Limit, ...] = (),
    cache_key: str | None = None,
) -> ActionRecord:
    """Return an action that was called so long after the run's begin, and succeeded at once."""
    phases = Phases(queued, start, claim, bundle, input, run, output)
    started_at = T0 + at + queued + start
    ended_at = started_at + claim + bundle + input + run + output + recorded
    spec = ActionSpec(
        run=RUN,
        action_id=action_id,
        task=TaskSpec(name=task, module="program", pool="default", limits=limits, cache_key=cache_key),
        inputs=inputs or Payload(text=f'{{"x":"{action_id}"}}', size_bytes=10),
        parent_id=parent,
        queued_at=T0 + at,
    )
    attempt = Attempt(
        number=1,
        executor=executor,
        started_at=started_at,
        ended_at=ended_at,
        end="succeeded",
        phases=waits.after(phases.packed()) if measured else (),
        noticed=noticed,
    )
    return ActionRecord(
        spec=spec,
        status=Status.SUCCEEDED,
        version=2,
        generation=1,
        created_at=started_at,
        started_at=started_at,
        ended_at=ended_at,
        attempts=(attempt,),
        outcome=Outcome(
            status=Status.SUCCEEDED, output=result or Payload(text=f'{{"value":"{action_id}"}}', size_bytes=14)
        ),
    )


def a_run(children: Iterable[ActionRecord], **root: Any) -> tuple[RunRecord, list[ActionRecord]]:
    """Return a run whose root called these, and returned 2 ms after the last had ended."""
    calls = list(children)
    last = max(((c.ended_at or 0.0) - T0 for c in calls), default=0.1)
    mine = [call for call in calls if call.spec.parent_id == "a0"]
    counts = Counter(call.spec.task.name for call in mine)
    fields = {
        "at": 0.0,
        "task": "env.root",
        "parent": None,
        "run": last + 0.002 - 0.003,
        "noticed": tuple(Noticed(task, n, 0.0, 0.0) for task, n in sorted(counts.items())),
        "waits": Waits(waiting_s=_union_s(mine)),
        **root,
    }
    top = ran("a0", **fields)
    run = RunRecord(
        spec=RUN,
        task="env.root",
        status=Status.SUCCEEDED,
        root=top.spec,
        ended_at=top.ended_at,
        outcome=top.outcome,
    )
    return run, [top, *calls]


def _union_s(calls: list[ActionRecord]) -> float:
    """Return for how long at least one of these was open."""
    whole_s, until = 0.0, 0.0
    for begin, end in sorted((call.spec.queued_at, call.ended_at or 0.0) for call in calls):
        whole_s += max(0.0, end - max(begin, until))
        until = max(until, end)
    return whole_s


def profile(run: RunRecord, records: list[ActionRecord]) -> RunProfile:
    """Return the profile of a run whose records are all known."""
    efforts = efforts_of(records)
    return profile_of(run, efforts, critical_path(records, late_s(efforts), {}), LATER)


def profiled(children: Iterable[ActionRecord], **root: Any) -> RunProfile:
    """Return the profile of such a run."""
    return profile(*a_run(children, **root))
