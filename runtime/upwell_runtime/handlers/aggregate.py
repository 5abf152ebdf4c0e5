"""Folds the stream of action records into the aggregates of their runs."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from upwell._aws.dynamodb_aggregates import DynamoAggregates
from upwell_runtime import wiring
from upwell_runtime.observing import observed


@cache
def aggregates() -> DynamoAggregates:
    """Return the aggregates of this component's deployment."""
    return DynamoAggregates(wiring.ports().clients, wiring.settings())


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Handle a batch of the actions table's stream; what could not be counted comes again."""
    failed = asyncio.run(aggregates().apply(event["Records"]))
    return {"batchItemFailures": [{"itemIdentifier": sequence_id} for sequence_id in failed]}
