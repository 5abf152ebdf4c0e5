"""The events that Lambda functions get from queues, streams and schedules, and their batch answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any


class BatchAnswerError(ValueError):
    """A batch answer that Lambda treats as the failure of the whole batch."""


def queue_event(messages: Sequence[Mapping[str, Any]], *, queue_arn: str, region: str) -> dict[str, Any]:
    """Return the event for messages as ReceiveMessage gives them."""
    return {"Records": [_queue_record(message, queue_arn, region) for message in messages]}


def _queue_record(message: Mapping[str, Any], queue_arn: str, region: str) -> dict[str, Any]:
    attributes = {
        name: {
            "stringValue": attribute.get("StringValue"),
            "binaryValue": _base64(attribute.get("BinaryValue")),
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": attribute["DataType"],
        }
        for name, attribute in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": attributes,
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def stream_event(records: Sequence[Mapping[str, Any]], *, stream_arn: str) -> dict[str, Any]:
    """Return the event for records as a DynamoDB stream's GetRecords gives them."""
    return {"Records": [{**_plain(record), "eventSourceARN": stream_arn} for record in records]}


def schedule_event(now: datetime, *, rule_arn: str, account: str, region: str, event_id: str) -> dict[str, Any]:
    """Return the event of a scheduled rule."""
    return {
        "version": "0",
        "id": event_id,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [rule_arn],
        "detail": {},
    }


def failed_items(answer: bytes, *, known: Sequence[str]) -> set[str]:
    """Return the identifiers that a function's batch answer reports as failed.

    Args:
        answer: the JSON that the function returned.
        known: identifiers of the batch: message ids, or sequence numbers of a stream.

    Raises:
        BatchAnswerError: the answer is not of the shape, or names something that was not in the batch; Lambda
            then takes the whole batch as failed.
    """
    parsed = json.loads(answer) if answer.strip() else None
    if parsed is None or parsed == {}:
        return set()
    try:
        failures = parsed["batchItemFailures"] or []
        identifiers = {failure["itemIdentifier"] for failure in failures}
    except (TypeError, KeyError) as e:
        raise BatchAnswerError(f"not a batch answer: {answer[:200]!r}") from e
    if unknown := identifiers - set(known):
        raise BatchAnswerError(f"the batch has no items {sorted(map(str, unknown))}")
    return identifiers


def _plain(value: Any) -> Any:
    """Undo what boto3 made of a stream record: bytes to base64, times to epoch seconds."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return _base64(value)
    return value.timestamp() if isinstance(value, datetime) else value


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
