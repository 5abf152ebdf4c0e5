"""What a measurement came to: one row of the table, one object of the JSON."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a figure should come to, and whether it does."""

    text: str
    meets: bool


def at_most(value: float, bound: float, what: str = "") -> Goal:
    """Return the goal that a value is not above a bound."""
    return Goal(text=f"{what} <= {bound:g}: {value:.3g}".strip(), meets=value <= bound)


def at_least(value: float, bound: float, what: str = "") -> Goal:
    """Return the goal that a value is not below a bound."""
    return Goal(text=f"{what} >= {bound:g}: {value:.3g}".strip(), meets=value >= bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerFigure:
    """The same figure of another engine, measured in turns with ours, or why there is none.

    Attributes:
        ratio: The peer's median over ours: above 1, ours is the smaller.
    """

    version: str
    median: float | None = None
    min: float | None = None
    max: float | None = None
    ratio: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A figure: the median of its runs.

    Attributes:
        more: What else was seen in the same runs, by name with its unit.
        error: Why the measurement failed; then there is no median.
    """

    name: str
    backend: str
    n: int
    unit: str
    runs: int = 0
    median: float | None = None
    min: float | None = None
    max: float | None = None
    goals: tuple[Goal, ...] = ()
    peers: dict[str, PeerFigure] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    error: str | None = None

    @classmethod
    def of(cls, samples: Sequence[float], **fields: Any) -> Self:
        """Return the row of samples."""
        return cls(runs=len(samples), **spread(samples), **fields)

    @property
    def meets(self) -> bool | None:
        """Whether all of the goals are met; None without any."""
        return all(goal.meets for goal in self.goals) if self.goals else None

    def to_json(self) -> dict[str, Any]:
        """Return the row as it is written, with `meets`."""
        return {**asdict(self), "meets": self.meets}


def spread(samples: Sequence[float]) -> dict[str, float]:
    """Return median, minimum and maximum, to four significant digits."""
    found = {"median": statistics.median(samples), "min": min(samples), "max": max(samples)}
    return {name: significant(value) for name, value in found.items()}


def significant(value: float) -> float:
    """Return a value to four significant digits."""
    return float(f"{value:.4g}")
