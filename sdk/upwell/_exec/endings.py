"""Ends actions that nobody runs, and tells of ends that nobody heard of: without a message at hand."""

from __future__ import annotations

from upwell._core.bounds import due_at
from upwell._core.children import unclaimed
from upwell._core.commands import Decision, Remember, Reply, StopChildren, TimeOut
from upwell._core.model import ActionKey, ActionRecord, ActionSpec
from upwell._exec.effects import remember, reply, stop_children
from upwell._exec.kernel import Kernel
from upwell._exec.transition import transition

LATE_S = 0.1
"""A bound is enforced from outside a little after it passed: who runs the action comes first."""
HELD_LOOK_S = 5.0
"""How often an action is looked at that somebody holds beyond its bounds."""


async def time_out(kernel: Kernel, spec: ActionSpec) -> bool:
    """End an action whose bounds have passed, unless somebody runs it; return whether it has ended.

    Args:
        kernel: The surroundings.
        spec: The action; see `TimeOut`.
    """
    ports, key = kernel.ports, ActionKey(spec.run.run_id, spec.action_id)
    known = await ports.store.get(key)
    decision = await transition(ports.store, ports.clock, key, TimeOut(spec=spec), known=known)
    if decision.record is not None:
        kernel.hub.stop(key)
    return await tell(kernel, decision, decision.record or known)


async def tell(kernel: Kernel, decision: Decision, record: ActionRecord | None) -> bool:
    """Carry out what follows from an end, with what its record says; return whether there is one.

    Its message, if there is one, is deleted by whoever receives it.
    """
    if record is None:
        return False
    for effect in decision.effects:
        match effect:
            case Reply() as told:
                await reply(kernel, record.spec, told, record.task_token, again=decision.record is None)
            case StopChildren():
                await stop_children(kernel, record.spec)
            case Remember(output):
                await remember(kernel, record.spec, output)
            case _:
                pass
    return bool(decision.effects)


async def end_in_time(kernel: Kernel, spec: ActionSpec) -> None:
    """Watch the bounds of a child, as its parent, until it has ended; to be cancelled when it has.

    Who runs it keeps to its bounds; this ends it while it waits: for an executor, for a retry, for children.
    """
    ports, key = kernel.ports, ActionKey(spec.run.run_id, spec.action_id)
    record, is_held = unclaimed(spec), False
    while True:
        due, now = due_at(record), ports.clock.now()
        if due is None:  # it runs; it may be queued again
            assert spec.task.bounds.max_queued_s is not None  # else there is nothing to watch
            due = now + max(spec.task.bounds.max_queued_s, HELD_LOOK_S)
        elif is_held and due <= now - LATE_S:
            due = now + HELD_LOOK_S
        await ports.clock.sleep(max(0.0, due - now + LATE_S))
        if await time_out(kernel, spec):
            return
        is_held = True
        record = await ports.store.get(key) or record
