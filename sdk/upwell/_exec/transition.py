"""Carries out a decision: compare-and-set until it holds."""

from __future__ import annotations

from upwell._core.commands import Command, Decision
from upwell._core.decide import decide
from upwell._core.model import ActionKey, ActionRecord
from upwell._core.ports import Actions, Clock

MAX_RACES = 50
"""Lost races in a row after which something is wrong with the store, not with the timing."""


class StoreContentionError(RuntimeError):
    """A record changed under every single try to write it."""


async def transition(
    store: Actions, clock: Clock, key: ActionKey, command: Command, *, known: ActionRecord | None = None
) -> Decision:
    """Decide on a command and write the result under the version it was decided on.

    Args:
        store: Where the record is.
        clock: Gives the time of the decision.
        key: The action.
        command: What is asked.
        known: The record as the caller believes it to be; None when it believes there is none. A wrong belief
            costs one lost race and one read, nothing else.

    Returns:
        The decision, whose effects the caller now carries out.
    """
    record = known
    for _ in range(MAX_RACES):
        decision = decide(record, command, clock.now())
        if decision.record is None:
            return decision
        if await store.save(decision.record, expected=record.version if record else None):
            return decision
        record = await store.get(key)
    raise StoreContentionError(f"{key} changed {MAX_RACES} times while {type(command).__name__} was written")
