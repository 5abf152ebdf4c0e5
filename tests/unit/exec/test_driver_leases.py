"""Attempts that lose their lease, or whose executor drains: their children belong to the next attempt."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.exec.engine import RUN_ID, Engine, engine, until

import upwell
from upwell._core.model import ROOT_ID, ActionKey, Lease, Status
from upwell._core.ports import Delivery
from upwell._exec import attempt
from upwell._exec.effects import abort
from upwell._exec.slots import Slot

env = upwell.TaskEnvironment("leases")
ROOT = ActionKey(RUN_ID, ROOT_ID)
events: list[str] = []
proceed = asyncio.Event()


@pytest.fixture(autouse=True)
async def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    events.clear()
    monkeypatch.setattr(f"{__name__}.proceed", asyncio.Event())


async def has_happened(event: str) -> None:
    async def seen() -> bool:
        return event in events

    await until(seen)


@env.task
async def child() -> str:
    events.append("child runs")
    try:
        await proceed.wait()
    except asyncio.CancelledError:
        events.append("child stopped")
        raise
    return "done"


@env.task
async def parent() -> str:
    try:
        return await child()
    except asyncio.CancelledError:
        events.append("parent stopped")
        raise


@env.task
async def leaves_its_child() -> str:
    left = asyncio.create_task(child())
    await has_happened("child runs")
    await proceed.wait()
    events.append("parent returns")
    assert not left.done() or left.result()
    return "left"


async def take_away(local: Engine) -> None:
    """Give the root to another executor, as if its lease had expired."""
    record = await local.store.get(ROOT)
    assert record is not None
    taken = replace(record, version=record.version + 1, lease=Lease(id="other", expires_at=1e12))
    assert await local.store.save(taken, expected=record.version)


async def test_an_attempt_that_lost_its_lease_stops_and_leaves_its_children_alone(tmp_path: Path) -> None:
    async with engine(tmp_path, heartbeat_s=0.05) as local:
        run = asyncio.create_task(local.run(parent))
        await has_happened("child runs")
        await take_away(local)
        await has_happened("parent stopped")
        await asyncio.sleep(0.1)  # nothing must happen
        assert "child stopped" not in events
        assert (await local.action_of(child)).status is Status.RUNNING
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


async def test_an_attempt_that_ends_after_it_lost_its_lease_is_not_accepted(tmp_path: Path) -> None:
    async with engine(tmp_path, heartbeat_s=60) as local:
        run = asyncio.create_task(local.run(leaves_its_child))
        await has_happened("child runs")
        await take_away(local)
        proceed.set()
        await has_happened("parent returns")
        await asyncio.sleep(0.1)  # nothing must happen
        assert "child stopped" not in events
        root = await local.store.get(ROOT)
        assert root is not None
        assert (root.status, root.outcome) == (Status.RUNNING, None)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


async def test_an_attempt_that_was_aborted_elsewhere_stops_with_its_children(tmp_path: Path) -> None:
    async with engine(tmp_path, heartbeat_s=0.05) as local, engine(tmp_path) as elsewhere:
        run = asyncio.create_task(local.run(parent))
        await has_happened("child runs")
        root = await local.store.get(ROOT)
        assert root is not None
        await abort(elsewhere.platform.kernel, root.spec, "enough")
        await has_happened("parent stopped")
        await has_happened("child stopped")
        assert (await local.action_of(child)).status is Status.ABORTED
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


async def test_a_message_that_may_be_somebody_elses_is_not_deleted_with_an_ended_action(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has it may have ended the action and died before the parent knew: the message must come again."""
    monkeypatch.setattr(attempt, "HELD_MARGIN_S", 1e9)  # every message of an attempt is long overdue
    async with engine(tmp_path, heartbeat_s=0.05) as local, engine(tmp_path) as elsewhere:
        executor, handled = local.platform._executor, asyncio.Queue[tuple[str, bool]]()
        handle = executor.handle

        async def noted(delivery: Delivery, slot: Slot | None = None, *, leave_at: float | None = None) -> bool:
            done = await handle(delivery, slot, leave_at=leave_at)
            handled.put_nowait((delivery.message.action.action_id, done))
            return done

        monkeypatch.setattr(executor, "handle", noted)
        run = asyncio.create_task(local.run(parent))
        await has_happened("child runs")
        root = await local.store.get(ROOT)
        assert root is not None
        await abort(elsewhere.platform.kernel, root.spec, "enough")
        ends = dict([await handled.get(), await handled.get()])
        assert ends[ROOT_ID] is False
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


async def test_an_executor_that_drains_gives_its_actions_back_unharmed(tmp_path: Path) -> None:
    async with engine(tmp_path) as local:
        run = asyncio.create_task(local.run(parent))
        await has_happened("child runs")
        local.platform._executor.drain()
        await local.platform.aclose()
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        asleep, given_back = await local.action_of(parent), await local.action_of(child)
        assert (asleep.status, asleep.failures, asleep.losses) == (Status.SUSPENDED, 0, 0)
        assert (given_back.status, given_back.failures, given_back.losses) == (Status.QUEUED, 0, 0)
        assert given_back.attempts[-1].end == "released"
        assert given_back.spec.parent_sleeps


async def test_a_run_that_is_stopped_from_another_process_ends_within_a_heartbeat(tmp_path: Path) -> None:
    async with engine(tmp_path, heartbeat_s=0.05) as local, engine(tmp_path) as elsewhere:
        run = asyncio.create_task(local.run(parent))
        await has_happened("child runs")
        await elsewhere.platform.orchestrator.stop(RUN_ID, "enough")
        result = await asyncio.wait_for(run, 10)
        assert result.run.status is Status.ABORTED
        await has_happened("child stopped")
        assert {a.status for a in result.actions} == {Status.ABORTED}
