"""Efforts as lists and objects for JSON, in few bytes: see `aggregate_form`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upwell._core.effort import LENGTHS, Amounts
from upwell._core.efforts import Efforts, HeardOf, Lengths, Repeats, TaskEfforts
from upwell._core.load_curve import FIELDS, RUNNING, RUNNING_MS, LoadCurve

FORM = 2
"""Of what follows; raise it when places change their meaning. Another form counts as nothing."""


def dump_efforts(efforts: Efforts) -> dict[str, Any]:
    """Return what many actions took."""
    return {
        "form": FORM,
        "tasks": [[*key, *_task_values(task)] for key, task in efforts.tasks.items()],
        "hits": _kept(efforts.hits),
        "heard": {
            task: [one.children, one.late_us, one.latest_us, one.waited_us, one.most]
            for task, one in efforts.heard.items()
        },
        "loads": {pool: _curve_values(curve) for pool, curve in efforts.loads.items()},
        "last": efforts.last_ms,
    }


def load_efforts(found: Mapping[str, Any]) -> Efforts:
    """Return what `dump_efforts` gave; nothing of what is of another form."""
    if found.get("form") != FORM:
        return Efforts()
    return Efforts(
        tasks={(task, pool): _task(values) for task, pool, *values in found["tasks"]},
        hits=found["hits"],
        heard={task: HeardOf(*values) for task, values in found["heard"].items()},
        loads={pool: _curve(values) for pool, values in found["loads"].items()},
        last_ms=found["last"],
    )


def _task_values(task: TaskEfforts) -> list[Any]:
    known = [task.lengths.get(name, Lengths()) for name in LENGTHS]
    return [
        task.amounts,
        [[_kept(one.buckets), one.sum_us, one.max_us] for one in known],
        [[inputs, *values] for inputs, values in task.repeats.inputs.items()],
        [task.largest_bytes, task.inline_bytes, task.scope],
    ]


def _task(values: list[Any]) -> TaskEfforts:
    amounts, lengths, repeats, (largest_bytes, inline_bytes, scope) = values
    return TaskEfforts(
        amounts=Amounts(*amounts),
        lengths={
            name: Lengths({int(bucket): n for bucket, n in buckets.items()}, sum_us, max_us)
            for name, (buckets, sum_us, max_us) in zip(LENGTHS, lengths, strict=False)
            if buckets or sum_us or max_us
        },
        repeats=Repeats({inputs: (n, least, most) for inputs, n, least, most in repeats}),
        largest_bytes=largest_bytes,
        inline_bytes=inline_bytes,
        scope=scope,
    )


def _curve_values(curve: LoadCurve) -> list[Any]:
    first = min(curve.stretches, default=0)
    found = sorted(curve.stretches.items())
    return [curve.bits, first, [[at - first, one[RUNNING], one[RUNNING_MS]] for at, one in found]]


def _curve(values: list[Any]) -> LoadCurve:
    bits, first, found = values
    curve = LoadCurve(bits)
    for at, running, running_ms in found:
        changes = [0] * FIELDS
        changes[RUNNING], changes[RUNNING_MS] = running, running_ms
        curve.stretches[first + at] = changes
    return curve


def _kept(counts: Mapping[Any, int]) -> dict[Any, int]:
    return {key: n for key, n in counts.items() if n}
