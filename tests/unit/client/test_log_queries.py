"""Where lines of an action are looked for: what its record says of who ran it, and when."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import upwell
from upwell._client.logs import log_query
from upwell._core.log_lines import LogQuery
from upwell._core.model import ATTEMPTS_KEPT, ActionRecord, Attempt, Executor, RunRecord
from upwell._local.sqlite import SqliteStore
from upwell.testing import LocalFlows

env = upwell.TaskEnvironment("asked-for")
own = upwell.TaskEnvironment("asked-apart", reusable=upwell.ReusePolicy(replicas=1))


@own.task
async def leaf() -> None:
    pass


@env.task
async def main() -> None:
    await leaf()


def attempt(number: int, ended_at: float | None = None) -> Attempt:
    executor = Executor(kind="worker", id=f"task{number}")
    return Attempt(number=number, executor=executor, started_at=10.0 * number, ended_at=ended_at)


class Kept:
    """A run of which an action has other attempts than it really had."""

    def __init__(self, run: RunRecord, action: ActionRecord, store: SqliteStore) -> None:
        self.run, self.action, self.store = run, action, store

    async def query(self, number: int | None = None, **changes: Any) -> LogQuery:
        record = replace(self.action, created_at=10.0, **changes)
        now = await self.store.get(record.key)
        assert now is not None
        assert await self.store.save(replace(record, version=now.version + 1), expected=now.version)
        return await log_query(self.store, self.run, record.spec.action_id, attempt=number)


@pytest.fixture
async def kept(tmp_path: Path) -> Any:
    result = await LocalFlows(tmp_path).arun(main)
    store = SqliteStore(tmp_path / "state.db")
    (action,) = result.actions_of(leaf)
    yield Kept(result.run, action, store)
    store.close()


async def test_the_executors_of_an_action_are_asked_for_the_time_of_its_attempts(kept: Kept) -> None:
    query = await kept.query(attempts=(attempt(1, 15.0), attempt(2, 25.0)))
    assert query.executors == (("worker", "task1"), ("worker", "task2"))
    assert (query.pools, query.since, query.until) == (("asked-apart",), 10.0, 25.0)


async def test_one_attempt_narrows_it_to_its_own(kept: Kept) -> None:
    query = await kept.query(1, attempts=(attempt(1, 15.0), attempt(2, 25.0)))
    assert (query.executors, query.until) == ((("worker", "task1"),), 15.0)


async def test_executors_that_are_not_known_any_more_are_looked_for_in_the_pool(kept: Kept) -> None:
    query = await kept.query(attempts=tuple(attempt(n, 10.0 * n + 5) for n in range(2, ATTEMPTS_KEPT + 2)))
    assert (query.executors, query.pools) == ((), ("asked-apart",))
    assert query.term.endswith(f"/{kept.action.spec.action_id}")


async def test_a_whole_run_is_looked_for_in_the_pools_of_all_its_tasks(kept: Kept) -> None:
    query = await log_query(kept.store, kept.run)
    assert set(query.pools) == {"default", "asked-for", "asked-apart"}
    assert (query.since, query.until) == (kept.run.spec.created_at, kept.run.ended_at)
