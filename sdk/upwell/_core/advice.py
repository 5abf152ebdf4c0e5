"""Advice on a run, in the words of the reference's guide to scaling, only where its measurements carry it.

Each rule has a least number of cases and a ratio, and what it says must be worth a share of the run. A rule
looks at one task; the healthy majority of tasks gets no advice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from upwell._core.advice_calls import batch, cache, trace
from upwell._core.advice_case import Advice, Case
from upwell._core.advice_executors import concurrency, reference, reuse
from upwell._core.critical_path import by_phase
from upwell._core.profile import RunProfile

MIN_SAVED_SHARE = 0.05
"""Of the run's length or of its executor time."""
MIN_SAVED_S = 0.02


def advise(profile: RunProfile) -> list[Advice]:
    """Return what is worth changing, what saves most first.

    Args:
        profile: Of a run.
    """
    path: dict[str, dict[str, float]] = defaultdict(dict)
    for (name, phase), seconds in by_phase(profile.path).items():
        path[name][phase] = seconds
    given: list[Advice] = []
    for task in profile.tasks:
        if task.attempts and task.measured:
            given += _of_task(Case(profile, task, path[task.task]))
    return sorted(given, key=lambda a: (-max(a.saves_wall_s, a.saves_busy_s), a.task, a.kind))


def _of_task(case: Case) -> Iterable[Advice]:
    small = trace(case) or batch(case)
    found = [small, reuse(case), concurrency(case), cache(case), reference(case)]
    return [one for one in found if one is not None and _is_worth_it(case.profile, one)]


def _is_worth_it(profile: RunProfile, one: Advice) -> bool:
    if one.evidence.get("near_limit"):
        return True  # not for the time: a little more, and the call is refused
    shares = ((one.saves_wall_s, profile.wall_s), (one.saves_busy_s, profile.busy_s))
    return any(saved >= max(MIN_SAVED_S, MIN_SAVED_SHARE * whole) for saved, whole in shares)
