"""Runs by status, task, label and time, newest first: what the CLI, the SDK and the console list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from upwell._client.backend import Backend
from upwell._client.documents import INTERRUPTED, labels, shown_status
from upwell._core.model import TERMINAL, RunRecord, Status
from upwell.errors import UsageError

RUN_STATES = ("running", INTERRUPTED, *sorted(status.value.lower() for status in TERMINAL))
RUNS_AT_ONCE = 200
RUNS_LOOKED_AT = 2000
"""For one page: a filter that few runs pass gives short pages, each of which says where the next begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs. Statuses and times are found by an index, the rest by a look at the records.

    Attributes:
        states: Only those in one of these, of `RUN_STATES`; empty takes all.
        task: Only those of this task, by its full name or its function's.
        labels: Only those with all of these, of any value where it is None.
        after: Only those created then or later, epoch seconds.
        before: Only those created earlier, epoch seconds.
    """

    states: frozenset[str] = frozenset()
    task: str | None = None
    labels: tuple[tuple[str, str | None], ...] = ()
    after: float | None = None
    before: float | None = None

    @property
    def statuses(self) -> frozenset[Status]:
        """Statuses that records of such runs have."""
        return frozenset(
            Status.RUNNING if state == INTERRUPTED else Status(state.upper()) for state in self.states
        )

    @property
    def needs_a_look(self) -> bool:
        """Whether some of the runs that the index finds may be others."""
        return bool(self.task or self.labels or Status.RUNNING in self.statuses)

    def has(self, run: RunRecord, *, alive: bool) -> bool:
        """Whether a run is one of them, its time aside."""
        if self.states and shown_status(run, alive) not in self.states:
            return False
        if self.task not in (None, run.task, run.task.rpartition(".")[2]):
            return False
        shown = labels(run)
        return all(key in shown and value in (None, shown[key]) for key, value in self.labels)


class FoundRun(NamedTuple):
    """A run, and whether something works on it."""

    run: RunRecord
    alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """Some runs, newest first.

    Attributes:
        runs: The runs.
        next_before: The next page has runs that were created before that; None: there is none.
    """

    runs: list[FoundRun]
    next_before: float | None


async def is_alive(run: RunRecord, backend: Backend) -> bool:
    """Whether something works on a run."""
    return not run.status.is_terminal and await backend.is_alive(run)


def run_states(names: Iterable[str], option: str) -> frozenset[str]:
    """Return states of runs by name, in whatever case.

    Args:
        names: The names.
        option: Where they were given.

    Raises:
        UsageError: there is none of this name.
    """
    found = frozenset(name.lower() for name in names)
    for name in sorted(found - frozenset(RUN_STATES)):
        raise UsageError(f"{option} {name!r} is no status of a run; use one of {', '.join(RUN_STATES)}")
    return found


def wanted_labels(texts: Iterable[str]) -> tuple[tuple[str, str | None], ...]:
    """Return labels of a filter that are written as `key=value`, or `key` for any value."""
    parts = (text.partition("=") for text in texts)
    return tuple((key, value if equals else None) for key, equals, value in parts)


async def find_runs(backend: Backend, wanted: RunFilter, limit: int) -> RunPage:
    """Return the newest runs that a filter has, up to `limit`; after `RUNS_LOOKED_AT`, those found so far."""
    found: list[FoundRun] = []
    before, at_once = wanted.before, RUNS_AT_ONCE if wanted.needs_a_look else limit + 1
    for _ in range(0, RUNS_LOOKED_AT, at_once):
        some = await backend.store.list_runs(at_once, before=before, statuses=wanted.statuses)
        for run in some:
            created_at = run.spec.created_at
            if wanted.after is not None and created_at < wanted.after:
                return RunPage(runs=found, next_before=None)
            if len(found) == limit:
                return RunPage(runs=found, next_before=before)
            before = created_at
            alive = await is_alive(run, backend)
            if wanted.has(run, alive=alive):
                found.append(FoundRun(run, alive))
        if len(some) < at_once:
            return RunPage(runs=found, next_before=None)
    return RunPage(runs=found, next_before=before)


async def newest_runs(backend: Backend, wanted: RunFilter, limit: int) -> list[FoundRun]:
    """Return the newest runs that a filter has, up to `limit`, however many others have to be looked at."""
    found: list[FoundRun] = []
    before = wanted.before
    while len(found) < limit:
        page = await find_runs(backend, replace(wanted, before=before), limit - len(found))
        found += page.runs
        if (before := page.next_before) is None:
            break
    return found
