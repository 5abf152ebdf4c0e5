"""What a request to AWS is billed as, from what was sent and what came back.

Rules, from the pricing pages of the services:

- DynamoDB on demand: a write is one unit per KB of the item, a strongly consistent read one per 4 KB, half of
  that for an eventually consistent one; items of a batch round up one by one, those of a query together. A
  condition that does not hold costs as much as a write, a look for what is not there a unit. A write is billed
  once more for each index that has the item.
- SQS: a request is billed once for each 64 KB of its messages, whatever their number; empty answers included.
- S3: PUT, COPY, POST and LIST have one price, what reads another, deletions none.
- Step Functions: each state that is entered is a transition; `RUN` says what one execution uses.

The size of an item that is replaced or deleted is not known here: it counts as the new one's, or as 1 KB.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

Attributes = Mapping[str, Mapping[str, Any]]
"""An item in attribute-value form."""

WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096
SQS_UNIT_BYTES = 64 * 1024
MIB_PER_GB = 1024
INDEX_KEYS = (("listing", "created_at"), ("status", "created_at"), ("listing", "look_at"))
"""Keys of the indexes that tables have: an item with both attributes is in the index."""
PARTIAL_INDEX_KEYS = ("task_shard", "created_at")
"""Keys of the cache's index, which has `about` of an item and nothing else."""
UNBILLED_ERRORS = 500
THROTTLING = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "ThrottlingException",
    }
)
"""Refused requests that are not billed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Amounts of what is billed; they add up.

    `requests` are those that this project's code or a poller for it makes; what a state machine does inside of
    AWS is in the other amounts only.
    """

    requests: float = 0
    write_units: float = 0
    read_units: float = 0
    sqs_requests: float = 0
    fair_requests: float = 0
    s3_puts: float = 0
    s3_gets: float = 0
    transitions: float = 0
    events: float = 0
    lambda_requests: float = 0
    lambda_gb_s: float = 0
    fargate_vcpu_s: float = 0
    fargate_gb_s: float = 0

    def __add__(self, other: Usage) -> Usage:
        """Return both together."""
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in NAMES})

    def __mul__(self, times: float) -> Usage:
        """Return so many times as much."""
        return Usage(**{name: getattr(self, name) * times for name in NAMES})

    def amounts(self) -> dict[str, float]:
        """Return what is not zero, by name."""
        return {name: value for name in NAMES if (value := getattr(self, name))}


NAMES = tuple(f.name for f in fields(Usage))


def total(usages: Iterable[Usage]) -> Usage:
    """Return many together."""
    sums = dict.fromkeys(NAMES, 0.0)
    for usage in usages:
        for name in NAMES:
            sums[name] += getattr(usage, name)
    return Usage(**sums)


RUN_TRANSITIONS = 5
"""States that a run enters which succeeds: WriteRun, RunRoot, RecordSuccess, AnnounceSuccess, Succeeded."""
RUN = Usage(
    # WriteRun puts the record and its entries in both indexes; RecordSuccess updates it and one entry, and
    # removes the other. RunRoot sends one message to a fair queue; AnnounceSuccess puts an event.
    write_units=6,
    sqs_requests=1,
    fair_requests=1,
    transitions=RUN_TRANSITIONS,
    events=1,
)
"""What the execution of the state machine does for one run with small values."""


def measure(service: str, operation: str, sent: Mapping[str, Any], answer: Mapping[str, Any]) -> Usage:
    """Return what a request is billed as.

    Args:
        service: botocore's name: `dynamodb`, `sqs`, `s3`, `stepfunctions`, ...
        operation: API operation, as `PutItem`.
        sent: The parameters.
        answer: The parsed answer, or that of a refusal (`Error`, `ResponseMetadata`).
    """
    code = str(answer.get("Error", {}).get("Code", ""))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 200))
    if code in THROTTLING or status >= UNBILLED_ERRORS:
        return Usage(requests=1)
    match service:
        case "dynamodb":
            return _dynamodb(operation, sent, answer)
        case "sqs":
            chunks = sqs_units(_payload_bytes(operation, sent, answer))
            return Usage(requests=1, sqs_requests=chunks, fair_requests=chunks)
        case "s3":
            return _s3(operation)
        case "stepfunctions" if operation == "StartExecution" and not code:
            return RUN + Usage(requests=1)
        case "events":
            return Usage(requests=1, events=len(sent.get("Entries", ())))
    return Usage(requests=1)


# --- DynamoDB -------------------------------------------------------------------------------------------------


def item_bytes(item: Attributes) -> int:
    """Return what DynamoDB counts as the size of an item, in bytes: names and values.

    Numbers take about a byte for two digits and one more; maps and lists 3 bytes and 1 for each element.
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(inner) for name, inner in content.items())
        case "L":
            return 3 + sum(1 + _value_bytes(inner) for inner in content)
        case "N":
            return len(str(content)) // 2 + 1
        case "B":
            return len(content)
        case "NULL" | "BOOL":
            return 1
    return len(str(content).encode())


def write_units(size_bytes: int) -> int:
    """Return the write units of an item."""
    return max(1, -(-size_bytes // WRITE_UNIT_BYTES))


def read_units(size_bytes: int, *, consistent: bool = True) -> float:
    """Return the read units of an item, or of all that a query read."""
    units = max(1, -(-size_bytes // READ_UNIT_BYTES))
    return units if consistent else units / 2


def _put_units(item: Attributes) -> int:
    indexes = sum(all(key in item for key in keys) for keys in INDEX_KEYS)
    units = write_units(item_bytes(item)) * (1 + indexes)
    if not item.keys() >= {*PARTIAL_INDEX_KEYS}:
        return units
    projected = {name: item[name] for name in ("pk", *PARTIAL_INDEX_KEYS, "about") if name in item}
    return units + write_units(item_bytes(projected))


def _dynamodb(operation: str, sent: Mapping[str, Any], answer: Mapping[str, Any]) -> Usage:
    match operation:
        case "PutItem":
            return Usage(requests=1, write_units=_put_units(sent["Item"]))
        case "UpdateItem" | "DeleteItem":
            given = {**sent["Key"], **sent.get("ExpressionAttributeValues", {})}
            return Usage(requests=1, write_units=write_units(item_bytes(given)))
        case "BatchWriteItem":
            done = _batch_writes(sent.get("RequestItems", {}))
            undone = _batch_writes(answer.get("UnprocessedItems", {}))
            return Usage(requests=1, write_units=done - undone)
        case "GetItem":
            consistent = bool(sent.get("ConsistentRead"))
            size_bytes = item_bytes(answer.get("Item", {}))
            return Usage(requests=1, read_units=read_units(size_bytes, consistent=consistent))
        case "BatchGetItem":
            return Usage(requests=1, read_units=_batch_reads(sent, answer))
        case "Query" | "Scan":
            return Usage(requests=1, read_units=_query_reads(sent, answer))
    return Usage(requests=1)


def _batch_writes(requests: Mapping[str, Any]) -> int:
    return sum(
        _put_units(request["PutRequest"]["Item"]) if "PutRequest" in request else 1
        for of_table in requests.values()
        for request in of_table
    )


def _batch_reads(sent: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    units = 0.0
    for table, asked in sent["RequestItems"].items():
        consistent = bool(asked.get("ConsistentRead"))
        found = answer.get("Responses", {}).get(table, [])
        undone = len(answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", ()))
        missing = len(asked["Keys"]) - len(found) - undone
        units += sum(read_units(item_bytes(item), consistent=consistent) for item in found)
        units += missing * read_units(0, consistent=consistent)
    return units


def _query_reads(sent: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    items = answer.get("Items", ())
    size_bytes = sum(map(item_bytes, items))
    if items:  # what a filter left out was read as well
        size_bytes = size_bytes * max(1, int(answer.get("ScannedCount", 0))) // len(items)
    return read_units(size_bytes, consistent=bool(sent.get("ConsistentRead")))


# --- SQS and S3 -----------------------------------------------------------------------------------------------


def sqs_units(payload_bytes: int) -> int:
    """Return as how many requests one with so much payload is billed."""
    return max(1, -(-payload_bytes // SQS_UNIT_BYTES))


def _payload_bytes(operation: str, sent: Mapping[str, Any], answer: Mapping[str, Any]) -> int:
    match operation:
        case "SendMessage":
            return len(sent["MessageBody"].encode())
        case "SendMessageBatch":
            return sum(len(entry["MessageBody"].encode()) for entry in sent["Entries"])
        case "ReceiveMessage":
            return sum(len(message.get("Body", "").encode()) for message in answer.get("Messages", ()))
    return 0


def _s3(operation: str) -> Usage:
    if operation.startswith(("Delete", "Abort")):
        return Usage(requests=1)
    writes = ("Put", "Copy", "Post", "Upload", "Create", "Complete", "List")
    if operation.startswith(writes):
        return Usage(requests=1, s3_puts=1)
    return Usage(requests=1, s3_gets=1)
