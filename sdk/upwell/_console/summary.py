"""What many actions of one task and group have in common, from single actions or from aggregates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from upwell._core.aggregates import Kind, KindKey
from upwell._core.histogram import percentile

SUMMARIES = 50
"""Of the actions below a parent: those of the tasks and groups with most of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The actions of one task and group below a parent; lengths of those that have ended, in seconds.

    Attributes:
        cached: How many had their result from the cache.
        first_queued_at: When the first was called, epoch seconds.
        last_ended_at: When the last one ended; None while one has not.
    """

    task: str
    group: str | None
    counts: dict[str, int]
    cached: int
    first_queued_at: float
    last_ended_at: float | None
    p50_s: float
    p90_s: float
    p99_s: float
    max_s: float

    @classmethod
    def of(cls, task: str, group: str, kind: Kind) -> Summary:
        """Return what aggregates say of a kind; percentiles are right to 4.5 %."""
        counts = {status.lower(): n for status, n in kind.counts.items() if n > 0}
        longest_s = kind.longest_ms / 1000
        p50, p90, p99 = (percentile(kind.lengths, share, longest_s) for share in (0.5, 0.9, 0.99))
        is_over = not counts.keys() & {"queued", "running", "suspended"}
        return cls(
            task=task,
            group=group or None,
            counts=counts,
            cached=kind.cached,
            first_queued_at=kind.first_ms / 1000,
            last_ended_at=kind.last_ms / 1000 if is_over else None,
            p50_s=round(p50, 6),
            p90_s=round(p90, 6),
            p99_s=round(p99, 6),
            max_s=longest_s,
        )


def summaries_of(kinds: Mapping[KindKey, Kind]) -> list[Summary]:
    """Return the summaries of kinds, in the order of their first calls."""
    found = [Summary.of(task, group, kind) for (_, task, group), kind in kinds.items() if kind.total]
    return largest(found)


def largest(found: Iterable[Summary]) -> list[Summary]:
    """Return the summaries of most actions, in the order of their first calls."""
    ranked = sorted(found, key=lambda one: -sum(one.counts.values()))[:SUMMARIES]
    return sorted(ranked, key=lambda one: (one.first_queued_at, one.task))
