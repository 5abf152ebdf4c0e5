"""Gives an action back whose handling failed, so that it is tried again soon instead of when its lease ends."""

from __future__ import annotations

import logging

from upwell._core.commands import GiveUp, Release
from upwell._core.limits import SQS_RECEIVES_MAX
from upwell._core.model import ActionKey, Lease
from upwell._core.ports import Delivery
from upwell._exec.effects import carry_out
from upwell._exec.kernel import Kernel
from upwell._exec.transition import transition

log = logging.getLogger("upwell.executor")

DELAY_MIN_S, DELAY_FACTOR, DELAY_MAX_S = 0.1, 3.0, 300.0
"""Ten deliveries take about ten minutes: an outage of the store that is shorter fails nothing."""
TRIES = 5


async def put_back(kernel: Kernel, delivery: Delivery, lease: Lease, error: Exception) -> bool:
    """Release the claim, if it was made, and show the message again after a delay that grows.

    Args:
        kernel: The surroundings.
        delivery: What could not be handled.
        lease: What it was, or would have been, claimed with.
        error: Why; after the last delivery the action fails with it.

    Returns:
        Whether the message has done its work and was deleted.
    """
    for attempt in range(TRIES):
        try:
            return await _put_back(kernel, delivery, lease, error)
        except Exception:  # what failed the handling may fail this as well, for a while
            log.warning("could not give an action back; trying again", exc_info=True)
            await kernel.ports.clock.sleep(_delay_s(attempt + 1))
    log.error("an action could not be given back; it is delivered again when its lease ends")
    return False


async def _put_back(kernel: Kernel, delivery: Delivery, lease: Lease, error: Exception) -> bool:
    ports, spec = kernel.ports, delivery.message.action
    key = ActionKey(spec.run.run_id, spec.action_id)
    await transition(
        ports.store, ports.clock, key, Release(lease_id=lease.id), known=await ports.store.get(key)
    )
    if delivery.received < SQS_RECEIVES_MAX:  # afterwards the reason would not be known
        await ports.queue.hide(delivery, _delay_s(delivery.received))
        return False
    reason = (
        f"{spec.task.name} could not be handled {delivery.received} times, the last time because of {error!r}"
    )
    decision = await transition(ports.store, ports.clock, key, GiveUp(spec=spec, reason=reason))
    await carry_out(kernel, decision, delivery, decision.record.spec if decision.record is not None else spec)
    return True


def _delay_s(times: int) -> float:
    """Return how long to wait after so many failures."""
    return min(DELAY_MIN_S * DELAY_FACTOR ** (times - 1), DELAY_MAX_S)
