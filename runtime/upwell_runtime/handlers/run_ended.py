"""Ends what a stopped or timed out execution left open: the run's record and its root action."""

from __future__ import annotations

import asyncio
from typing import Any

from upwell._core.model import Executor as ExecutorId
from upwell._exec.effects import end_run
from upwell._exec.subject import about
from upwell_runtime import wiring
from upwell_runtime.observing import annotate, observed


@observed
def handler(event: dict[str, Any], context: Any) -> None:
    """Handle a status change of an execution."""
    detail = event["detail"]
    kernel = wiring.kernel(ExecutorId(kind="lambda", id=context.log_stream_name))
    run_id, generation = wiring.run_of_execution(detail["name"])
    annotate(run_id)
    with about(run_id=run_id):
        asyncio.run(end_run(kernel, run_id, generation, detail["status"]))
