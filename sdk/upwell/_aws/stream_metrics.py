"""Counts what the stream of the actions table tells: no executor takes the time, and none can forget it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from upwell._aws.dynamodb_items import read_image
from upwell._core.action_metrics import counted
from upwell._core.metrics import Metric, Metrics
from upwell._core.model import ActionRecord
from upwell._core.wire import WireError

log = logging.getLogger("upwell.fold")


def count_changes(records: Iterable[Mapping[str, Any]], metrics: Metrics) -> None:
    """Count the changes of actions. Those that come again count again.

    Args:
        records: Records of a DynamoDB stream, as a Lambda function gets them.
        metrics: Takes the counts.
    """
    for record in records:
        change = record["dynamodb"]
        try:
            before, after = _image(change.get("OldImage")), _image(change.get("NewImage"))
        except WireError as e:  # of a later version: it must hold up no view
            log.warning("a change of an action could not be counted", extra={"error": str(e)})
            continue
        if after is not None:
            for metric, value in counted(before, after):
                metrics.add(metric, value, pool=after.spec.task.pool)


def count_lag(records: Iterable[Mapping[str, Any]], now: float, metrics: Metrics) -> None:
    """Keep how old the oldest change is.

    Args:
        records: As for `count_changes`.
        now: When they were dealt with, epoch seconds.
        metrics: Takes the age.
    """
    times = [record["dynamodb"].get("ApproximateCreationDateTime") for record in records]
    known = [float(at) for at in times if at is not None]
    if known:
        metrics.add(Metric.VIEW_LAG, max(0.0, now - min(known)))


def _image(item: Mapping[str, Any] | None) -> ActionRecord | None:
    return read_image(item) if item and "record" in item else None
