"""Warm workers for an environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from upwell._author.durations import Duration, to_seconds
from upwell.errors import UnsupportedError

TTL_MIN_S = 30.0


@dataclass(frozen=True, slots=True)
class ReusePolicy:
    """Keeps the workers of an environment between actions, so that they start once.

    Attributes:
        replicas: Workers: a number, or the fewest and the most.
        concurrency: Actions at once in one worker; above 1 all tasks must be async.
        scaledown_ttl: How long one worker may be idle before it is stopped; at least 30 s.
        idle_ttl: How long all workers may be idle before the pool is stopped; at least 30 s.
        scope: `global`: workers serve all runs.

    Raises:
        ValueError: a value is out of its bounds.

    Example:
        >>> ReusePolicy(replicas=(2, 10), concurrency=5).replicas_max
        10
    """

    replicas: int | tuple[int, int] = 2
    concurrency: int = 1
    scaledown_ttl: Duration = TTL_MIN_S
    idle_ttl: Duration = TTL_MIN_S
    scope: Literal["global", "run"] = "global"

    def __post_init__(self) -> None:
        fewest, most = self._range()
        if fewest < 0 or most < 1 or fewest > most:
            raise ValueError(
                f"ReusePolicy(replicas={self.replicas!r}): give a number of workers of at least 1, "
                "or (fewest, most) with 0 <= fewest <= most"
            )
        if isinstance(self.concurrency, bool) or not isinstance(self.concurrency, int) or self.concurrency < 1:
            raise ValueError(f"ReusePolicy(concurrency={self.concurrency!r}): give an int of at least 1")
        for name in ("scaledown_ttl", "idle_ttl"):
            value = getattr(self, name)
            if to_seconds(value, name) < TTL_MIN_S:
                raise ValueError(f"ReusePolicy({name}={value!r}): give at least {TTL_MIN_S:g} seconds")
        if self.scope not in {"global", "run"}:
            raise ValueError(f"ReusePolicy(scope={self.scope!r}): give 'global' or 'run'")

    def _range(self) -> tuple[int, int]:
        pair = self.replicas if isinstance(self.replicas, tuple | list) else (self.replicas, self.replicas)
        if len(pair) != 2 or not all(isinstance(n, int) and not isinstance(n, bool) for n in pair):
            raise ValueError(f"ReusePolicy(replicas={self.replicas!r}): give an int, or a pair of ints")
        return pair[0], pair[1]

    @property
    def replicas_min(self) -> int:
        """The fewest workers while the pool is in use."""
        return self._range()[0]

    @property
    def replicas_max(self) -> int:
        """The most workers."""
        return self._range()[1]

    @property
    def slots(self) -> int:
        """Actions that run at once when all workers are there."""
        return self.replicas_max * self.concurrency

    @property
    def scaledown_ttl_s(self) -> float:
        """`scaledown_ttl` in seconds."""
        return to_seconds(self.scaledown_ttl, "scaledown_ttl")

    @property
    def idle_ttl_s(self) -> float:
        """`idle_ttl` in seconds."""
        return to_seconds(self.idle_ttl, "idle_ttl")

    def check_supported(self) -> None:
        """Check what only matters when the environment is deployed.

        Raises:
            UnsupportedError: the scope is not `global`.
        """
        if self.scope != "global":
            raise UnsupportedError(
                "ReusePolicy(scope='run'): a deployed pool serves all runs; leave scope= out, "
                "and keep what belongs to one run out of module globals"
            )
