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
    """Have a handler's log lines name its invocation, and its metrics written when it ends, however it does."""

    @wraps(handler)
    def invoke(event: dict[str, Any], context: Any) -> T:
        wiring.configure_logging()
        try:
            with about(request_id=context.aws_request_id):
                return handler(event, context)
        finally:
            wiring.metrics().flush()

    return invoke


async def keep_flushing(every_s: float = FLUSH_S) -> None:
    """Write metrics until cancelled, and then what is left."""
    try:
        while True:
            await asyncio.sleep(every_s)
            wiring.metrics().flush()
    finally:
        wiring.metrics().flush()
