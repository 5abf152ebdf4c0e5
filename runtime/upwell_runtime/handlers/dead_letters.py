"""Fails the actions whose messages were put aside, so that no action is ever left without an end."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from upwell._aws.queue import delivery_from_lambda_record
from upwell._core.model import Executor as ExecutorId
from upwell._exec.effects import give_up
from upwell_runtime import wiring

log = logging.getLogger("upwell.dead_letters")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle the dead letters of an event."""
    return asyncio.run(_handle(event, context))


async def _handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    kernel = wiring.kernel(ExecutorId(kind="lambda", id=context.log_stream_name))
    failures = []
    for record in event["Records"]:
        try:
            delivery = delivery_from_lambda_record(record, wiring.pool_of_queue(record["eventSourceARN"]))
            await give_up(kernel, delivery)
        except Exception:  # one letter, unreadable perhaps, must not keep back the others
            log.exception("a dead letter could not be handled", extra={"message_id": record["messageId"]})
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
