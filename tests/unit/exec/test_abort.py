"""Aborts reach everything below, also when the first one died half way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.unit.core.actions import spec
from tests.unit.exec.engine import Engine, engine

from upwell._core.commands import Abort, Claim
from upwell._core.journal import Scheduled, Sent
from upwell._core.model import ActionKey, ActionSpec, Executor, Lease, Status
from upwell._exec.effects import abort
from upwell._exec.transition import transition

PARENT = replace(spec(action_id="a0"), parent_id=None)
CHILDREN = [f"child-{n}" for n in range(120)]


async def claimed_with_children(local: Engine, action: ActionSpec, children: list[str]) -> None:
    """Bring an action to where its executor has sent children, and is gone."""
    ports = local.platform.kernel.ports
    key = ActionKey(action.run.run_id, action.action_id)
    lease = Lease(id=f"of {action.action_id}", expires_at=ports.clock.now() + 60)
    executor = Executor(kind="worker", id="gone")
    await transition(ports.store, ports.clock, key, Claim(spec=action, executor=executor, lease=lease))
    sent = tuple(Sent(action_id=child, task="env.task", pool="default") for child in children)
    entry = Scheduled(at=ports.clock.now(), generation=1, shard=0, children=sent)
    await ports.store.append(key, 0, [entry])


async def test_an_abort_that_is_repeated_comes_to_the_children(tmp_path: Path) -> None:
    async with engine(tmp_path) as local:
        await claimed_with_children(local, PARENT, CHILDREN)
        await claimed_with_children(local, spec(action_id=CHILDREN[0]), ["grandchild"])
        kernel = local.platform.kernel
        command = Abort(spec=PARENT, reason="stopped")
        # Somebody wrote the end of the parent, and died before the children.
        await transition(kernel.ports.store, kernel.ports.clock, ActionKey("run", "a0"), command)
        await abort(kernel, PARENT, "stopped")
        statuses = {a.spec.action_id: a.status async for a in local.store.list_actions("run")}
    assert statuses == dict.fromkeys(["a0", *CHILDREN, "grandchild"], Status.ABORTED)
