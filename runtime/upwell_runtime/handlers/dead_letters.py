"""Fails the actions whose messages were put aside, so that no action is ever left without an end."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from upwell._aws.queue import delivery_from_lambda_record, salvaged_from_lambda_record
from upwell._core.metrics import Metric
from upwell._core.model import Executor as ExecutorId
from upwell._core.wire import WireError
from upwell._exec.effects import give_up
from upwell._exec.kernel import Kernel
from upwell_runtime import wiring
from upwell_runtime.observing import observed

log = logging.getLogger("upwell.dead_letters")


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle the dead letters of an event."""
    return asyncio.run(_handle(event, context))


async def _handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    kernel = wiring.kernel(ExecutorId(kind="lambda", id=context.log_stream_name))
    failures = []
    for record in event["Records"]:
        try:
            handled = await _end(kernel, record)
        except Exception:  # one letter must not keep back the others
            log.exception("a dead letter could not be handled", extra={"message_id": record["messageId"]})
            handled = False
        if not handled:
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


async def _end(kernel: Kernel, record: dict[str, Any]) -> bool:
    """Fail the action of a letter; return False if nobody can tell which one that is."""
    pool = wiring.pool_of_queue(record["eventSourceARN"])
    try:
        await give_up(kernel, delivery_from_lambda_record(record, pool))
    except WireError as e:
        salvaged = salvaged_from_lambda_record(record, pool)
        if salvaged is None:
            fields = {"message_id": record["messageId"], "queue": pool, "error": str(e)}
            log.error("a dead letter cannot be read; it stays in its queue", extra=fields)
            wiring.metrics().add(Metric.UNREADABLE)
            await wiring.ports().queue.put_aside(pool, record["receiptHandle"])
            return False
        await give_up(kernel, salvaged, f"cannot be read: {e}")
    return True
