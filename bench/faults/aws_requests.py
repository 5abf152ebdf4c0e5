"""Requests to AWS that fail below the adapters: throttled, broken off, answered late, by half, or with a 500.

They are struck where botocore sends them, so that its retries and the adapters' own take part. A fault comes
once or twice, which is retried unnoticed, or so often that the adapter has to give up.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from random import Random
from typing import Any, Literal

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from upwell._core.ports import Clock

Trouble = Literal["throttle", "500", "reset before", "reset after", "timeout after", "by half"]
OPERATIONS = {
    "PutItem": "dynamodb",
    "BatchGetItem": "dynamodb",
    "BatchWriteItem": "dynamodb",
    "Query": "dynamodb",
    "SendMessageBatch": "sqs",
    "ReceiveMessage": "sqs",
    "DeleteMessageBatch": "sqs",
    "ChangeMessageVisibilityBatch": "sqs",
    "PutObject": "s3",
    "SendTaskSuccess": "stepfunctions",
    "SendTaskFailure": "stepfunctions",
}
BY_HALF = ("BatchGetItem", "BatchWriteItem", "SendMessageBatch", "DeleteMessageBatch")
"""Operations that may do nothing for some of their entries, and say so."""
THROTTLING = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "sqs": "RequestThrottled",
    "stepfunctions": "ThrottlingException",
}
RARE = frozenset(
    {"PutObject", "SendTaskSuccess", "SendTaskFailure", "BatchGetItem", "ChangeMessageVisibilityBatch"}
)
OK = 200
BURSTS = (1, 1, 2, 8)
"""How often in a row; botocore makes six attempts."""


def request_kinds() -> list[str]:
    """Return every kind of trouble."""
    always: tuple[Trouble, ...] = ("throttle", "500", "reset before", "reset after", "timeout after")
    kinds = [f"{trouble} {operation}" for operation in OPERATIONS for trouble in always]
    return [*kinds, *(f"by half {operation}" for operation in BY_HALF)]


class RequestPlan:
    """The requests that fail in a run.

    Args:
        chance: Where its randomness comes from.
        happened: Counts what happened, by kind.
        turn: Which run of many this is: the kinds take turns in being the first one.
        most: Troubles, at most.
    """

    def __init__(self, chance: Random, happened: Counter[str], turn: int = 0, *, most: int = 10) -> None:
        self._happened = happened
        self._seen: Counter[str] = Counter()
        self._at: dict[tuple[str, int], str] = {}
        kinds = request_kinds()
        for number in range(chance.randint(2, most)):
            kind = kinds[turn % len(kinds)] if number == 0 else chance.choice(kinds)
            trouble, _, operation = kind.rpartition(" ")
            first = chance.randint(0, 1) if operation in RARE else int(chance.expovariate(0.1))
            for nth in range(first, first + chance.choice(BURSTS)):
                self._at[operation, nth] = trouble

    def trouble(self, operation: str) -> str | None:
        """Return what happens to this request, if anything does."""
        trouble = self._at.get((operation, self._seen[operation]))
        self._seen[operation] += 1
        if trouble is not None:
            self._happened[f"{trouble} {operation}"] += 1
        return trouble


class RequestFaults:
    """A handler of botocore's `before-send`.

    Args:
        send: Sends a request for good: what the next handler would do.
    """

    def __init__(self, send: Callable[..., AWSResponse | None]) -> None:
        self._send = send
        self.plan: RequestPlan | None = None
        self.on_put: Callable[[dict[str, Any]], None] | None = None
        """Called with each item that a PutItem has written."""

    def watch(self, client: Any) -> None:
        """Stand in front of a client."""
        client.meta.events.register_first("before-send", self)

    def __call__(self, event_name: str, request: Any, **_: Any) -> AWSResponse | None:
        """Answer a request."""
        operation = event_name.rpartition(".")[2]
        plan = self.plan
        trouble = plan.trouble(operation) if plan is not None and operation in OPERATIONS else None
        if trouble is None:
            return self._sent(event_name, request, operation)
        service = OPERATIONS[operation]
        match trouble:
            case "throttle" if service == "s3":
                return _answer(request, 503, "<Error><Code>SlowDown</Code><Message>slow</Message></Error>")
            case "throttle":
                return _answer(
                    request, 400, json.dumps({"__type": f"aws#{THROTTLING[service]}", "message": "slow"})
                )
            case "500":
                return _answer(request, 500, "" if service == "s3" else '{"__type": "aws#InternalServerError"}')
            case "by half":
                return _answer(request, 200, json.dumps(_nothing_done(operation, json.loads(request.body))))
            case "reset before":
                raise ConnectionClosedError(endpoint_url=request.url)
            case "reset after":
                self._sent(event_name, request, operation)
                raise ConnectionClosedError(endpoint_url=request.url)
        self._sent(event_name, request, operation)
        raise ReadTimeoutError(endpoint_url=request.url)

    def _sent(self, event_name: str, request: Any, operation: str) -> AWSResponse | None:
        response = self._send(event_name, request=request)
        is_put = operation == "PutItem" and response is not None and response.status_code == OK
        if is_put and self.on_put is not None:
            self.on_put(json.loads(request.body))
        return response


def _nothing_done(operation: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of a batch request none of whose entries was carried out."""
    if operation == "BatchGetItem":
        return {"Responses": {}, "UnprocessedKeys": body["RequestItems"]}
    if operation == "BatchWriteItem":
        return {"UnprocessedItems": body["RequestItems"]}
    failed = [{"Id": e["Id"], "SenderFault": False, "Code": "InternalError"} for e in body["Entries"]]
    return {"Failed": failed, "Successful": []}


def _answer(request: Any, status: int, body: str) -> AWSResponse:
    return AWSResponse(request.url, status, {"content-type": "application/x-amz-json-1.0"}, _Raw(body.encode()))


class _Raw(BytesIO):
    def stream(self, **_: Any) -> Any:
        """Yield the content, as urllib3's response does."""
        while content := self.read():
            yield content


class NoPauses:
    """Stands in for the module `time` in botocore: between two attempts no real time passes.

    Args:
        clock: What time it is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def time(self) -> float:
        """Return the time."""
        return self._clock.now()

    def sleep(self, delay_s: float) -> None:
        """Return at once."""
