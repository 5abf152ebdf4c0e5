"""A child that its parent has lost sight of ends soon after the parent."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from tests.unit.exec.engine import RUN_ID, engine, until

import upwell
from upwell._core.commands import Abort
from upwell._core.decide import decide
from upwell._core.model import ROOT_ID, ActionKey, Status
from upwell._core.wire import Message

env = upwell.TaskEnvironment("orphans")
started: set[str] = set()


@env.task
async def forever() -> None:
    action = upwell.ctx().action
    assert action is not None
    started.add(action.name)
    await asyncio.sleep(1000)


async def test_a_child_that_is_in_no_journal_ends_soon_after_its_parent(tmp_path: Path) -> None:
    started.clear()
    async with engine(tmp_path, heartbeat_s=0.02) as local:
        run = await local.submission(forever)
        decision = decide(None, Abort(spec=run.root, reason="aborted"), run.root.queued_at)
        assert decision.record is not None
        assert await local.store.save(decision.record, expected=None)
        ports = local.platform.kernel.ports
        child = replace(run.root, action_id="child", parent_id=ROOT_ID, depth=1)
        later = replace(child, action_id="later", run=replace(child.run, generation=2))
        await ports.queue.send(child.task.pool, [Message(action=child), Message(action=later)])

        async def ended() -> bool:
            record = await local.store.get(ActionKey(RUN_ID, "child"))
            return record is not None and record.status is Status.ABORTED

        await until(ended)
        assert started == {"child", "later"}
        waiting = await local.store.get(ActionKey(RUN_ID, "later"))
        assert waiting is not None
        assert waiting.status is Status.RUNNING, "its parent is about to be recovered"
