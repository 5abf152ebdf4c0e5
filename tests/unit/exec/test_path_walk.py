"""The critical path of a run is followed by reading what lies on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.core.profiles import T0, a_run, ran

from upwell._core.critical_path import EARLIER, critical_path
from upwell._core.journal import Scheduled, Sent
from upwell._core.model import ActionKey, ActionRecord
from upwell._exec import path_walk
from upwell._exec.path_walk import PathWalk
from upwell._local.sqlite import SqliteStore

SHARD = 5
ROOT = ActionKey("run", "a0")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "state.db")
    yield made
    made.close()


def waves(n: int, at_once: int) -> list[ActionRecord]:
    """Return calls of which so many are open at once: as one ends, the next one is made."""
    calls = [
        ran(f"c{i:04}", at=(i // at_once) * 0.11 + (i % at_once) * 0.001, run=0.1, input=0.002)
        for i in range(n)
    ]
    return [replace(call, spec=replace(call.spec, shard=i // SHARD)) for i, call in enumerate(calls)]


async def save(store: SqliteStore, records: list[ActionRecord]) -> None:
    for record in records:
        assert await store.save(record, expected=None)
    levels: dict[tuple[str, int], list[ActionRecord]] = {}
    for record in records:
        if record.spec.parent_id is not None:
            levels.setdefault((record.spec.parent_id, record.spec.shard), []).append(record)
    for (parent, shard), some in levels.items():
        sent = tuple(Sent(action_id=one.spec.action_id, task="env.child", pool="default") for one in some)
        entry = Scheduled(at=T0, generation=1, shard=shard, children=sent)
        await store.append(ActionKey("run", parent), shard, [entry])


async def test_the_path_is_that_of_all_records(store: SqliteStore) -> None:
    below = [ran(f"g{i}", at=0.42 + i * 0.01, run=0.005, parent="c0099", task="env.leaf") for i in range(5)]
    _, records = a_run([*waves(100, 10), *below])
    await save(store, records)
    walk = PathWalk(store)
    assert await walk.follow(ROOT, {}) == critical_path(records, {}, {})
    assert walk.read <= len(records)


async def test_what_lies_too_far_back_is_one_step(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path_walk, "RECORDS_MAX", 50)
    run, records = a_run(waves(300, 10))
    await save(store, records)
    walk = PathWalk(store)
    path = await walk.follow(ROOT, {})
    assert walk.read <= 50 + path_walk.SHARDS_AT_ONCE * SHARD
    assert sum(step.length_s for step in path) == pytest.approx((run.ended_at or 0) - T0)
    (earlier,) = [step for step in path if step.phase == EARLIER]
    followed = [step for step in path if step.started_at > earlier.started_at]
    whole = critical_path(records, {}, {})
    assert followed[1:] == whole[1 - len(followed) :]  # the first one is cut
    assert len(followed) > 10


async def test_a_run_that_goes_on_or_has_not_begun_has_no_path(store: SqliteStore) -> None:
    assert await PathWalk(store).follow(ROOT, {}) == []
    _, (root, *_) = a_run([])
    assert await store.save(replace(root, ended_at=None), expected=None)
    assert await PathWalk(store).follow(ROOT, {}) == []
