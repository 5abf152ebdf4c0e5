"""The profile of a run as a JSON document: names that stay, times in seconds. See docs/profiling.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from upwell._client.backend import Backend
from upwell._client.run_efforts import run_profile
from upwell._core.advice import advise
from upwell._core.advice_case import Advice
from upwell._core.critical_path import Step, by_phase, followed_s
from upwell._core.model import RunRecord
from upwell._core.profile import RunProfile, Spread, TaskProfile

STEPS_SHOWN = 1000
"""Of the critical path, in the document; the sums have all of it."""


async def load_profile(backend: Backend, run: RunRecord) -> dict[str, Any]:
    """Return the document of a run's profile."""
    found = await run_profile(backend, run)
    return profile_document(found, advise(found), run.status.value.lower())


def profile_document(profile: RunProfile, advice: Sequence[Advice], status: str) -> dict[str, Any]:
    """Return a profile as `upwell profile --json` prints it."""
    ranked = sorted(by_phase(profile.path).items(), key=lambda item: (-item[1], item[0]))
    return {
        "run": profile.run_id,
        "status": status,
        "wall_s": _s(profile.wall_s),
        "busy_s": _s(profile.busy_s),
        "usd": _usd(profile.usd),
        "tasks": [_task(task) for task in profile.tasks],
        "critical_path": {
            "length_s": _s(sum(step.length_s for step in profile.path)),
            "followed_s": _s(followed_s(profile.path)),
            "by_phase": [
                {"task": task, "phase": phase, "length_s": _s(seconds)} for (task, phase), seconds in ranked
            ],
            "steps": [_step(step) for step in profile.path[:STEPS_SHOWN]],
            "steps_left_out": max(0, len(profile.path) - STEPS_SHOWN),
        },
        "advice": [_advice(one) for one in advice],
    }


def _task(task: TaskProfile) -> dict[str, Any]:
    late = task.noticed
    return {
        "task": task.task,
        "actions": task.actions,
        "cached": task.cached,
        "attempts": task.attempts,
        "failed": task.failed,
        "measured": task.measured,
        "runtime_s": _spread(task.runtime),
        "phases_s": {phase: _spread(spread) for phase, spread in task.phases.items()},
        "noticed_s": {
            "count": late.children,
            "mean": _s(late.sum_s / late.children) if late.children else None,
            "max": _s(late.max_s) if late.children else None,
        },
        "overhead_s": _s(task.overhead_s),
        "overhead_ratio": None if task.overhead_ratio is None else round(task.overhead_ratio, 4),
        "cold_starts": task.cold_starts,
        "usd": _usd(task.usd),
        "cost_share": round(task.cost_share, 4),
    }


def _spread(spread: Spread) -> dict[str, float]:
    return {name: _s(seconds) for name, seconds in spread._asdict().items()}


def _step(step: Step) -> dict[str, Any]:
    return {"action": step.action_id, "task": step.task, "phase": step.phase, "length_s": _s(step.length_s)}


def _advice(one: Advice) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "task": one.task,
        "text": one.text,
        "saves": {"wall_s": _s(one.saves_wall_s), "busy_s": _s(one.saves_busy_s), "usd": _usd(one.saves_usd)},
        "evidence": {name: round(value, 6) for name, value in one.evidence.items()},
    }


def _usd(dollars: float) -> float:
    return round(dollars, 9)


def _s(seconds: float) -> float:
    return round(seconds, 6)
