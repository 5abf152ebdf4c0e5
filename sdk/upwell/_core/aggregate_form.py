"""Aggregates as JSON, in few bytes: lists whose places have a meaning, and nothing that is zero."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from upwell._core.aggregates import KEPT, Aggregates, Highest, Kind
from upwell._core.effort_form import dump_efforts, load_efforts
from upwell._core.load_curve import LoadCurve

_dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


def dump_aggregates(aggregates: Aggregates) -> str:
    """Return aggregates as JSON."""
    return _dumps(
        {
            "counts": {task: _kept(by_status) for task, by_status in aggregates.counts.items()},
            "kinds": [[*key, *_kind_values(kind)] for key, kind in aggregates.kinds.items()],
            "left_out": int(aggregates.levels_left_out),
            "curve": _curve_values(aggregates.curve),
            "efforts": dump_efforts(aggregates.efforts),
        }
    )


def load_aggregates(text: str, kept: int = KEPT) -> Aggregates:
    """Return what `dump_aggregates` wrote.

    Args:
        text: What it wrote.
        kept: Slowest and failed actions of a kind that are to be known by name.
    """
    found = json.loads(text)
    return Aggregates(
        counts=found["counts"],
        kinds={(level, task, group): _kind(values) for level, task, group, *values in found["kinds"]},
        levels_left_out=bool(found["left_out"]),
        curve=_curve(found["curve"]),
        efforts=load_efforts(found.get("efforts", {})),
        kept=kept,
    )


def _kind_values(kind: Kind) -> list[Any]:
    return [
        _kept(kind.counts),
        kind.cached,
        _kept(kind.lengths),
        [kind.longest_ms, kind.first_ms, kind.last_ms, kind.first_shard, kind.last_shard],
        kind.slowest,
        kind.failed,
    ]


def _kind(values: list[Any]) -> Kind:
    counts, cached, lengths, (longest_ms, first_ms, last_ms, first_shard, last_shard), slowest, failed = values
    return Kind(
        counts=counts,
        cached=cached,
        lengths={int(bucket): n for bucket, n in lengths.items()},
        longest_ms=longest_ms,
        first_ms=first_ms,
        last_ms=last_ms,
        first_shard=first_shard,
        last_shard=last_shard,
        slowest=Highest(slowest),
        failed=Highest(failed),
    )


def _curve_values(curve: LoadCurve) -> list[Any]:
    first = min(curve.stretches, default=0)
    return [
        curve.bits,
        first,
        [[number - first, *values] for number, values in sorted(curve.stretches.items())],
    ]


def _curve(values: list[Any]) -> LoadCurve:
    bits, first, stretches = values
    return LoadCurve(bits, {first + number: changes for number, *changes in stretches})


def _kept(counts: Mapping[Any, int]) -> dict[Any, int]:
    return {key: n for key, n in counts.items() if n}
