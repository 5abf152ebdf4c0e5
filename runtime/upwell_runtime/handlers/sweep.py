"""Puts right what is overdue in the runs that are due for a look."""

from __future__ import annotations

import asyncio
from typing import Any

from upwell._core.metrics import Metric
from upwell._core.model import Executor as ExecutorId
from upwell._exec.sweeper import Sweeper
from upwell_runtime import wiring
from upwell_runtime.observing import observed

STOP_EARLY_S = 15.0
"""So long before its invocation ends no further run is looked at."""


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Sweep once; return how often each remedy was needed."""
    kernel = wiring.kernel(ExecutorId(kind="lambda", id=context.log_stream_name))
    left_s = context.get_remaining_time_in_millis() / 1000 - STOP_EARLY_S
    remedies = asyncio.run(Sweeper(kernel).sweep(until=kernel.ports.clock.now() + left_s))
    if remedies:
        wiring.metrics().add(Metric.PUT_RIGHT, remedies.total())
    return {remedy.value: times for remedy, times in remedies.items()}
