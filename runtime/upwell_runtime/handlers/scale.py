"""Sets the number of workers of worker pools: of all every minute, of one when it was sent work."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from upwell._core.keys import WORK_SENT
from upwell_runtime import wiring
from upwell_runtime.observing import observed

RUN_STARTED = "Step Functions Execution Status Change"


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Look at the pool of the event, or else at every pool; return the desired workers by pool."""
    pools, now = wiring.worker_pools(), wiring.ports().clock.now()
    if (sent := sent_to(event)) is None:
        return asyncio.run(pools.scale_all(now))
    return asyncio.run(pools.scale_one(*sent, now))


def sent_to(event: dict[str, Any]) -> tuple[str, int] | None:
    """Return the pool that an event is about and how many messages it was sent; None for a look at all."""
    kind, detail = event.get("detail-type"), event.get("detail", {})
    if kind == WORK_SENT:
        return detail["pool"], int(detail["messages"])
    if kind == RUN_STARTED and detail.get("input"):
        queue_url = json.loads(detail["input"])["queue_url"]
        return wiring.pool_of_queue(queue_url.replace("/", ":")), 1
    return None
