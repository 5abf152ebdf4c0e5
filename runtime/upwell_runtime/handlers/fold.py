"""Folds the stream of action records into the views of their runs."""

from __future__ import annotations

import asyncio
from functools import cache
from itertools import takewhile
from typing import Any

from upwell._aws.dynamodb_views import DynamoViews
from upwell._aws.stream_metrics import count_changes, count_lag
from upwell_runtime import wiring
from upwell_runtime.observing import observed


@cache
def views() -> DynamoViews:
    """Return the views of this component's deployment."""
    return DynamoViews(wiring.ports().clients, wiring.settings())


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Handle a batch of the actions table's stream; what could not be counted comes again."""
    records, metrics = event["Records"], wiring.metrics()
    failed = asyncio.run(views().apply(records))
    # The stream goes on at the first one that failed.
    counted = takewhile(lambda record: record["dynamodb"]["SequenceNumber"] not in failed, records)
    count_changes(counted, metrics)
    count_lag(records, wiring.ports().clock.now(), metrics)
    return {"batchItemFailures": [{"itemIdentifier": sequence_id} for sequence_id in failed]}
