"""Lists of runs: what a filter has, newest first, whatever lies between."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.contract.store_samples import NOW, run_record

from upwell._client import run_list
from upwell._client.backend import Backend
from upwell._client.run_list import RUN_STATES, RunFilter, find_runs, newest_runs, run_states, wanted_labels
from upwell._core.model import RunRecord, Status
from upwell._local.sqlite import SqliteStore
from upwell.errors import UsageError


class Place:
    """A backend of which these tests use the store, and who is alive."""

    def __init__(self, path: Path) -> None:
        self.store = SqliteStore(path)
        self.dead: set[str] = set()

    async def is_alive(self, run: RunRecord) -> bool:
        return run.spec.run_id not in self.dead

    @property
    def backend(self) -> Backend:
        return cast("Backend", self)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path / "state.db")
    yield place
    place.store.close()


async def fill(place: Place, n: int) -> list[tuple[RunRecord, str]]:
    """Save runs of all states, tasks and labels; return them with their states, newest first."""
    chance, filled = random.Random(3), []
    for i in range(n):
        state = chance.choice(RUN_STATES)
        status = Status.RUNNING if state == "interrupted" else Status(state.upper())
        run = run_record(f"r{i:03}", created_at=NOW + i)
        labels = {"team": chance.choice(["a", "b"])} if i % 3 else {}
        run = replace(run, status=status, task=chance.choice(["shop.main", "shop.other"]), labels=labels)
        if state == "interrupted":
            place.dead.add(run.spec.run_id)
        await place.store.save_run(run, expected=None)
        filled.append((run, state))
    return filled[::-1]


FILTERS: list[dict[str, Any]] = [
    {},
    {"states": frozenset({"failed"})},
    {"states": frozenset({"failed", "timed_out"})},
    {"states": frozenset({"interrupted"})},
    {"states": frozenset({"running"})},
    {"states": frozenset({"running", "interrupted", "aborted"})},
    {"task": "main"},
    {"task": "shop.other", "states": frozenset({"succeeded"})},
    {"labels": (("team", None),)},
    {"labels": (("team", "a"),), "states": frozenset({"interrupted"})},
    {"after": NOW + 50, "before": NOW + 90.0},
    {"task": "none"},
]


@pytest.mark.parametrize("wanted", FILTERS)
@pytest.mark.parametrize("limit", [1, 7, 200])
async def test_pages_are_the_list_without_the_others(
    place: Place, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, Any], limit: int
) -> None:
    monkeypatch.setattr(run_list, "RUNS_AT_ONCE", 16)
    monkeypatch.setattr(run_list, "RUNS_LOOKED_AT", 32)
    filled, which = await fill(place, 120), RunFilter(**wanted)
    right = [
        run.spec.run_id
        for run, state in filled
        if (not which.states or state in which.states)
        and which.task in (None, run.task, run.task.rpartition(".")[2])
        and all(run.labels.get(key) in ({value} if value else {"a", "b"}) for key, value in which.labels)
        and (which.after or 0) <= run.spec.created_at < (which.before or NOW + 1000)
    ]
    found, page = [], which
    while True:
        some = await find_runs(place.backend, page, limit)
        assert len(some.runs) <= limit
        found += [each.run.spec.run_id for each in some.runs]
        if some.next_before is None:
            break
        page = replace(page, before=some.next_before)
    assert found == right
    newest = await newest_runs(place.backend, which, limit)
    assert [each.run.spec.run_id for each in newest] == right[:limit]


def test_labels_are_read_up_to_the_first_sign() -> None:
    assert wanted_labels(["team", "a=b=c", "x="]) == (("team", None), ("a", "b=c"), ("x", ""))


def test_states_are_known_by_name() -> None:
    assert run_states(["FAILED", "interrupted"], "--status") == {"failed", "interrupted"}
    with pytest.raises(
        UsageError, match="--status 'odd' is no status of a run; use one of running, interrupted,"
    ):
        run_states(["odd"], "--status")
