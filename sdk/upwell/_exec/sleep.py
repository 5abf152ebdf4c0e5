"""How a parent is suspended so that nothing that ends from then on is missed."""

from __future__ import annotations

import asyncio

from upwell._core.commands import Subscribe, TellNow
from upwell._core.model import ActionKey, ActionRecord, ActionSpec
from upwell._exec.driver import Driver
from upwell._exec.effects import wake
from upwell._exec.kernel import Kernel
from upwell._exec.transition import transition

SUBSCRIPTIONS_AT_ONCE = 50


async def fall_asleep(kernel: Kernel, driver: Driver, key: ActionKey, held_until: float) -> None:
    """See to it that a parent is woken, once its suspension is written.

    Children that were told that their parent may sleep look at its record when they have ended; who ended
    before the suspension was written saw nobody to wake, but is in the journal. The others are told now, in
    their own records, which say that a child has ended, or make the one who ends it wake the parent.

    Args:
        kernel: The surroundings.
        driver: Of the attempt that leaves.
        key: The parent.
        held_until: Until when nobody else can have received the parent's message.
    """
    has_ended = await _subscribe(kernel, driver.silent_children)
    if await driver.look_again() or has_ended:
        await wake(kernel, key, held_until=held_until)


async def _subscribe(kernel: Kernel, children: list[ActionSpec]) -> bool:
    """Tell children that their parent sleeps; return whether one of them has ended."""
    keys = [ActionKey(spec.run.run_id, spec.action_id) for spec in children]
    known = await kernel.ports.store.get_many(keys) if keys else {}
    has_ended = False
    for first in range(0, len(keys), SUBSCRIPTIONS_AT_ONCE):
        some = range(first, min(first + SUBSCRIPTIONS_AT_ONCE, len(keys)))
        ended = await asyncio.gather(*(_tell(kernel, keys[n], children[n], known.get(keys[n])) for n in some))
        has_ended = has_ended or any(ended)
    return has_ended


async def _tell(kernel: Kernel, key: ActionKey, spec: ActionSpec, known: ActionRecord | None) -> bool:
    ports = kernel.ports
    decision = await transition(ports.store, ports.clock, key, Subscribe(spec=spec), known=known)
    return any(isinstance(effect, TellNow) for effect in decision.effects)
