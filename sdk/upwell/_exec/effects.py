"""Carries out what a decision asks for, once its record is written."""

from __future__ import annotations

import asyncio
import math

from upwell._core.children import Children, child_spec
from upwell._core.commands import (
    Abort,
    Acknowledge,
    Decision,
    GiveUp,
    Postpone,
    Remember,
    Reply,
    Resend,
    StopChildren,
    Wake,
)
from upwell._core.journal import Completed, Journal
from upwell._core.model import ActionKey, ActionSpec, Payload
from upwell._core.ports import Delivery
from upwell._core.wire import Message
from upwell._exec.cached import new_entry
from upwell._exec.kernel import Kernel
from upwell._exec.replay import read_journal
from upwell._exec.transition import transition

ABORTS_AT_ONCE = 50
"""Children of one action that are aborted at the same time."""


class LateError(RuntimeError):
    """The message of who does this may be somebody else's by now, who does it again.

    A receipt that is outdated may be taken all the same: then whoever has the message runs an action that
    nothing would bring back. And what is begun without a message of one's own might not be ended.
    """


async def carry_out(
    kernel: Kernel, decision: Decision, delivery: Delivery, spec: ActionSpec, held_until: float = math.inf
) -> None:
    """Carry out the effects of a decision on a delivered action, in their order.

    Args:
        kernel: The surroundings.
        decision: Written already.
        delivery: The message that led to it.
        spec: The action; its `parent_id` and `shard` say where the outcome is expected.
        held_until: Until when nobody else can have received the message.

    Raises:
        LateError: it took too long; who has the message now does it again.
    """
    for effect in decision.effects:
        match effect:
            case Reply() as told:
                again = delivery.received > 1
                await reply(kernel, spec, told, delivery.message.task_token, again=again, held_until=held_until)
            case Remember(output):
                await remember(kernel, spec, output)
            case Resend(delay_s):
                message = Message(action=spec, task_token=delivery.message.task_token)
                await kernel.ports.queue.send(spec.task.pool, [message], delay_s)
            case Postpone(delay_s):
                await kernel.ports.queue.hide(delivery, delay_s)
            case Acknowledge():
                if kernel.ports.clock.now() > held_until:
                    raise LateError(f"the message of {spec.action_id} is left to who has it now")
                await kernel.ports.queue.delete([delivery])
            case StopChildren():
                await stop_children(kernel, spec)
            case _:
                pass  # Run and Stop are the executor's own


def acknowledged(decision: Decision) -> bool:
    """Whether a decision lets go of the message."""
    return any(isinstance(effect, Acknowledge) for effect in decision.effects)


async def reply(
    kernel: Kernel,
    spec: ActionSpec,
    told: Reply,
    task_token: str | None,
    *,
    again: bool = False,
    held_until: float = math.inf,
) -> None:
    """Tell the parent how an action ended: in memory if it is here, in its journal always; wake a sleeping one.

    Args:
        kernel: The surroundings.
        spec: The action.
        told: How it ended, and whether the parent may sleep.
        task_token: Of the root's message.
        again: Whether this may have been told before.
        held_until: Until when nobody else can have received the action's message.
    """
    outcome = told.outcome
    if spec.parent_id is None:
        await kernel.ports.orchestrator.root_ended(spec.run.run_id, task_token, outcome)
        return
    parent = ActionKey(spec.run.run_id, spec.parent_id)
    entry = Completed(
        at=kernel.ports.clock.now(),
        generation=spec.run.generation,
        action_id=spec.action_id,
        outcome=outcome,
    )
    kernel.hub.hand_over(parent, entry)
    await kernel.ports.store.append(parent, spec.shard, [entry])
    if told.wakes:
        await wake(kernel, parent, again=again, held_until=held_until)


async def wake(kernel: Kernel, key: ActionKey, *, again: bool = False, held_until: float = math.inf) -> None:
    """Send the message of a suspended action again; nothing happens when it is awake, or about to be.

    Args:
        kernel: The surroundings.
        key: The suspended action.
        again: Whether somebody may have begun this before and died before the message was sent.
        held_until: Until when the message that led to this is ours: it is what repeats this if we die.

    Raises:
        LateError: it is not any more.
    """
    store = kernel.ports.store
    known = await store.get(key)
    if kernel.ports.clock.now() > held_until:
        raise LateError(f"{key} is left to who has the message now")
    decision = await transition(store, kernel.ports.clock, key, Wake(again=again), known=known)
    if any(isinstance(effect, Resend) for effect in decision.effects):
        record = decision.record or await store.get(key)
        delay_s = next(effect.delay_s for effect in decision.effects if isinstance(effect, Resend))
        assert record is not None  # decided on just now
        assert record.suspension is not None  # what Resend follows from
        message = Message(action=record.spec, task_token=record.suspension.task_token)
        await kernel.ports.queue.send(record.spec.task.pool, [message], delay_s)


async def remember(kernel: Kernel, spec: ActionSpec, output: Payload) -> None:
    """Keep the output of an action under its task's cache key, if it has one."""
    if spec.task.cache_key is None or spec.run.cache_mode == "off":
        return
    task, now = spec.task, kernel.ports.clock.now()
    await kernel.ports.store.put_cached([new_entry(spec, spec.task.cache_key, output, now, task.cache_parts)])


async def abort(kernel: Kernel, spec: ActionSpec, reason: str) -> None:
    """End an action, wherever it is. Its executor, if it has one, learns it and aborts its children in turn.

    An action that no executor has taken yet gets a record that stops the message when it comes.
    """
    key = ActionKey(spec.run.run_id, spec.action_id)
    decision = await transition(kernel.ports.store, kernel.ports.clock, key, Abort(spec=spec, reason=reason))
    kernel.hub.stop(key)
    # Also when it had ended before: whoever ended it may have died before it came to the children.
    if any(isinstance(effect, StopChildren) for effect in decision.effects):
        await stop_children(kernel, spec)


async def stop_children(kernel: Kernel, spec: ActionSpec) -> None:
    """Abort the children that the journal of an action says are open."""
    key = ActionKey(spec.run.run_id, spec.action_id)
    journal = Journal(spec.run.generation)
    known = Children(spec.run.generation).apply(await read_journal(kernel.ports.store, key, journal))
    children = [child_spec(spec, child.sent, child.shard) for child in known.open.values()]
    reason = f"its parent {spec.task.name} ended"
    for some in (children[n : n + ABORTS_AT_ONCE] for n in range(0, len(children), ABORTS_AT_ONCE)):
        await asyncio.gather(*(abort(kernel, child, reason) for child in some))


async def give_up(kernel: Kernel, delivery: Delivery, why: str = "never finished or failed") -> None:
    """Fail the action of a message that the queue has put aside, and tell its parent."""
    spec = delivery.message.action
    reason = f"{spec.task.name} was delivered {delivery.received} times and {why}"
    key = ActionKey(spec.run.run_id, spec.action_id)
    command = GiveUp(spec=spec, reason=reason)
    decision = await transition(kernel.ports.store, kernel.ports.clock, key, command)
    await carry_out(kernel, decision, delivery, spec)


async def end_run(kernel: Kernel, run_id: str, generation: int, status: str) -> None:
    """Record that an execution of a run was stopped or timed out, and end its root action.

    News of an execution that a recovery has replaced since is no news.
    """
    run = await kernel.ports.store.get_run(run_id)
    if run is None or run.spec.generation != generation:
        return
    if not run.status.is_terminal:
        await kernel.ports.orchestrator.stop(run_id, f"its execution was {status.lower()}")
    await abort(kernel, run.root, f"the run's execution was {status.lower()}")
