"""Runs one action per invocation: the function behind the queues of Lambda pools."""

from __future__ import annotations

import asyncio
import logging
from contextvars import copy_context
from functools import cache
from typing import Any

from upwell._aws.queue import delivery_from_lambda_record
from upwell._core.model import Executor as ExecutorId
from upwell._core.wire import WireError
from upwell._exec.executor import Executor
from upwell_runtime import wiring
from upwell_runtime.observing import annotate, observed

log = logging.getLogger("upwell.execute")

if wiring.is_function():  # part of its start, which Lambda gives more processor than invocations get
    wiring.split_off_zygote()
    wiring.be_unique_when_restored()


@cache
def _runner() -> asyncio.Runner:
    """Return the event loop of this execution environment; connections outlive an invocation."""
    return asyncio.Runner()


@cache
def _executor(log_stream: str, memory_mib: int) -> Executor:
    return wiring.executor(ExecutorId(kind="lambda", id=log_stream), suspends=True, memory_mib=memory_mib)


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle the messages of an event, and report those that must come again."""
    return _runner().run(_handle(event, context), context=copy_context())


async def _handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    executor = _executor(context.log_stream_name, int(context.memory_limit_in_mb))
    pool = wiring.settings().pool
    leave_at = wiring.ports().clock.now() + context.get_remaining_time_in_millis() / 1000
    failures = []
    for record in event["Records"]:
        try:
            delivery = delivery_from_lambda_record(record, pool)
            annotate(delivery.message.action.run.run_id)
            handled = await executor.handle(delivery, leave_at=leave_at)
        except WireError:  # left for the dead-letter queue, without slowing down the others as an error would
            log.exception("a message cannot be read", extra={"message_id": record["messageId"]})
            handled = False
        if not handled:
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
