"""What every invocation and every worker does to be seen: fields of its log lines, and its metrics written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from upwell._exec.subject import about
from upwell_runtime import wiring

T = TypeVar("T")
FLUSH_S = 60.0
"""Between two lines of a worker: CloudWatch keeps a metric by the minute."""


def observed(handler: Callable[[dict[str, Any], Any], T]) -> Callable[[dict[str, Any], Any], T]:
    """Have a handler's log lines name its invocation, and its metrics and trace written at its end."""

    @wraps(handler)
    def invoke(event: dict[str, Any], context: Any) -> T:
        wiring.configure_logging()
        try:
            with about(request_id=context.aws_request_id):
                return _traced(handler)(event, context)
        finally:
            wiring.metrics().flush()

    return invoke


def _traced(handler: Callable[[dict[str, Any], Any], T]) -> Callable[[dict[str, Any], Any], T]:
    """Return a handler that traces when it ran, and nothing of what it handled, where there are traces."""
    if (tracer := wiring.tracer()) is None:
        return handler
    return tracer.capture_lambda_handler(handler, capture_response=False, capture_error=False)


def annotate(run_id: str) -> None:
    """Have the trace of this invocation found by a run."""
    if (tracer := wiring.tracer()) is not None:
        tracer.put_annotation("run_id", run_id)


async def keep_flushing(every_s: float = FLUSH_S) -> None:
    """Write metrics until cancelled, and then what is left."""
    try:
        while True:
            await asyncio.sleep(every_s)
            wiring.metrics().flush()
    finally:
        wiring.metrics().flush()
