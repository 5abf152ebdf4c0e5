"""Bounds that pass while nobody runs the action: its parent ends it while it is awake, the sweeper else."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.core.actions import released, running, spec, step
from tests.unit.exec.engine import RUN_ID, engine, until

import upwell
from upwell._core.commands import GiveUp
from upwell._core.model import ROOT_ID, ActionKey, Status
from upwell._core.sweep import Remedy
from upwell._exec.sweeper import Sweeper
from upwell.errors import DeadlineExceededError, MaxQueuedTimeExceededError

narrow = upwell.TaskEnvironment("overdue-narrow", reuse_policy=upwell.ReusePolicy(replicas=1, concurrency=1))
env = upwell.TaskEnvironment("overdue")
proceed = asyncio.Event()
begun: list[str] = []


@pytest.fixture(autouse=True)
async def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    begun.clear()
    monkeypatch.setattr(f"{__name__}.proceed", asyncio.Event())


@narrow.task
async def holds_the_only_slot() -> None:
    begun.append("holder")
    await proceed.wait()


@narrow.task(timeout=upwell.Timeout(max_queued_time=0.2))
async def impatient() -> None:
    begun.append("impatient")


@narrow.task(timeout=upwell.Timeout(deadline=0.2))
async def due() -> None:
    begun.append("due")


async def until_begun(what: str) -> None:
    async def has_begun() -> bool:
        return what in begun

    await until(has_begun)


@env.task
async def queues_behind() -> list[str]:
    holder = asyncio.create_task(holds_the_only_slot())
    await until_begun("holder")
    seen = []
    for child in (impatient, due):
        try:
            await child()
        except (MaxQueuedTimeExceededError, DeadlineExceededError) as e:
            seen.append(type(e).__name__)
    assert not holder.done(), "nothing else of the pool has ended"
    proceed.set()
    await holder
    return seen


async def test_a_child_that_no_executor_takes_ends_at_its_bound(tmp_path: Path) -> None:
    async with engine(tmp_path) as local:
        result = await local.run(queues_behind)
        assert result.unwrap() == ["MaxQueuedTimeExceededError", "DeadlineExceededError"]
        assert begun == ["holder"]
        for task in (impatient, due):
            action = await local.action_of(task)
            assert (action.status, action.attempts) == (Status.TIMED_OUT, ())


@env.task
async def forever() -> None:
    begun.append("forever")
    await proceed.wait()


@env.task(timeout=upwell.Timeout(deadline=1.0))
async def waits_in_its_sleep() -> None:
    await forever()


@env.task
async def sleeps_above() -> str:
    try:
        await waits_in_its_sleep()
    except DeadlineExceededError:
        return "in time"
    return "never"


async def test_a_parent_that_sleeps_ends_at_its_deadline_and_its_children_with_it(tmp_path: Path) -> None:
    async with engine(tmp_path, suspends=True, linger_s=0.05, heartbeat_s=0.1, sweep_s=0.2) as local:
        result = await local.run(sleeps_above)
        assert result.unwrap() == "in time"
        middle, below = await local.action_of(waits_in_its_sleep), await local.action_of(forever)
        assert (middle.status, below.status) == (Status.TIMED_OUT, Status.ABORTED)
        assert middle.suspension is not None


@env.task(timeout=upwell.Timeout(max_queued_time=60))
async def never_claimed() -> None:
    raise AssertionError


async def test_a_root_that_nobody_ever_claims_ends_at_its_bound(tmp_path: Path) -> None:
    async with engine(tmp_path) as local:
        kernel = local.platform.kernel
        run = await local.submission(never_claimed)
        late = replace(run, root=replace(run.root, queued_at=run.root.queued_at - 61))
        assert await kernel.ports.store.save_run(late, expected=None)
        assert await Sweeper(kernel).look(RUN_ID) == Counter({Remedy.TIME_OUT: 1})
        ended = await kernel.ports.store.get_run(RUN_ID)
        assert ended is not None
        assert ended.status is Status.TIMED_OUT
        record = await kernel.ports.store.get(ActionKey(RUN_ID, late.root.action_id))
        assert record is not None
        assert record.status is Status.TIMED_OUT


@env.task
async def over() -> None: ...


async def test_what_is_open_below_a_parent_that_has_ended_is_aborted(tmp_path: Path) -> None:
    """Who ended the parent died before it came to the children; other children of the run go on."""
    async with engine(tmp_path) as local:
        kernel, now = local.platform.kernel, time.time()
        run = await local.submission(over)
        old = replace(run, root=replace(run.root, queued_at=now - 500))
        store = kernel.ports.store
        assert await store.save_run(old, expected=None)
        waits = spec(queued_at=now - 400, deadline_s=5000.0)
        parent = replace(waits, action_id="parent", parent_id=ROOT_ID)
        records = {
            ROOT_ID: running(replace(old.root, action_id=ROOT_ID), now=now),
            "parent": replace(step(None, GiveUp(spec=parent, reason="r"), now - 300)),
            "orphan": released(replace(waits, action_id="orphan", parent_id="parent")),
            "other": replace(
                released(replace(waits, action_id="other", parent_id=ROOT_ID)), not_before=now + 60
            ),
        }
        for record in records.values():
            assert await store.save(replace(record, version=1), expected=None)
        assert await Sweeper(kernel).look(RUN_ID) == Counter({Remedy.ABORT: 1})
        statuses = {a.spec.action_id: a.status async for a in store.list_actions(RUN_ID)}
        assert statuses["orphan"] is Status.ABORTED
        assert statuses["other"] is Status.QUEUED
