"""Event source mappings of queues, as Lambda polls them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from upwell_runtime.sandbox.aws import Aws
from upwell_runtime.sandbox.events import BatchAnswerError, failed_items, queue_event
from upwell_runtime.sandbox.invocation import InvocationError
from upwell_runtime.sandbox.lambda_host import FunctionHost

log = logging.getLogger(__name__)

RECEIVE_MAX = 10
WAIT_S = 20
RETRY_S = 0.5
AHEAD = 10
REPORTS_FAILURES = "ReportBatchItemFailures"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMapping:
    """An event source mapping as it is deployed."""

    uuid: str
    source_arn: str
    function_arn: str
    batch_size: int = 10
    reports_failures: bool = False
    concurrency_max: int | None = None
    starting_position: str = "TRIM_HORIZON"
    retries_max: int = -1
    bisects: bool = False
    window_s: float = 0.0
    """How long records are gathered, as deployed."""

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> SourceMapping:
        """Read what GetEventSourceMapping tells."""
        return cls(
            uuid=described["UUID"],
            source_arn=described["EventSourceArn"],
            function_arn=described["FunctionArn"],
            batch_size=int(described.get("BatchSize", 10)),
            reports_failures=REPORTS_FAILURES in described.get("FunctionResponseTypes", []),
            concurrency_max=_number(described.get("ScalingConfig", {}).get("MaximumConcurrency")),
            starting_position=described.get("StartingPosition") or "TRIM_HORIZON",
            retries_max=int(described.get("MaximumRetryAttempts", -1)),
            bisects=bool(described.get("BisectBatchOnFunctionError")),
            window_s=float(described.get("MaximumBatchingWindowInSeconds") or 0),
        )


def _number(value: Any) -> int | None:
    return None if value in (None, "", "AWS::NoValue") else int(value)


class QueuePoller:
    """Receives messages, invokes the function, and deletes what it dealt with.

    What failed stays in the queue and comes back after the visibility timeout, as with Lambda; the queue's
    redrive policy moves it to the dead-letter queue in the end.
    """

    def __init__(self, aws: Aws, mapping: SourceMapping, function: FunctionHost) -> None:
        self._aws = aws
        self._sqs = aws.client("sqs")
        self._mapping = mapping
        self._function = function
        name = mapping.source_arn.rpartition(":")[2]
        self._url = f"{aws.endpoint}/{aws.account}/{name}"
        self._under_way: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._deletions: list[Mapping[str, Any]] = []
        self._deleting: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Poll for ever."""
        try:
            while True:
                await self._poll()
        finally:
            for task in self._under_way:
                task.cancel()

    async def _poll(self) -> None:
        free = await self._free()
        batch_size = self._mapping.batch_size
        try:
            answer = await self._aws.call(
                self._sqs.receive_message,
                QueueUrl=self._url,
                MaxNumberOfMessages=min(RECEIVE_MAX, free * batch_size),
                WaitTimeSeconds=WAIT_S,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        except (ClientError, BotoCoreError) as e:
            log.warning("receive failed; polling again", extra={"queue": self._url, "error": str(e)})
            await asyncio.sleep(RETRY_S)
            return
        messages: Sequence[Mapping[str, Any]] = answer.get("Messages", [])
        for first in range(0, len(messages), batch_size):
            task = asyncio.create_task(self._process(messages[first : first + batch_size]))
            self._under_way.add(task)
            task.add_done_callback(self._done)

    async def _free(self) -> int:
        """Wait until the function can take more, and return how many invocations.

        A few more than can run are received ahead: what waits tells the function to grow, and under load
        one request then brings several messages.
        """
        while True:
            limit = self._function.limit
            most = self._mapping.concurrency_max or limit + AHEAD
            free = most - len(self._under_way)
            if free > 0 and (len(self._under_way) < limit or free >= AHEAD // 2):
                return free
            self._room.clear()
            await self._room.wait()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._room.set()

    async def _process(self, messages: Sequence[Mapping[str, Any]]) -> None:
        event = queue_event(messages, queue_arn=self._mapping.source_arn, region=self._aws.region)
        failed: set[str] = set()
        try:
            answer = await self._function.invoke(json.dumps(event).encode())
            if self._mapping.reports_failures:
                failed = failed_items(answer, known=[message["MessageId"] for message in messages])
        except (InvocationError, BatchAnswerError) as e:
            log.warning(
                "batch failed; its messages come back after the visibility timeout",
                extra={"function": self._function.spec.name, "messages": len(messages), "error": str(e)},
            )
            return
        self._deletions += [message for message in messages if message["MessageId"] not in failed]
        if self._deleting is None and self._deletions:
            self._deleting = asyncio.create_task(self._delete())

    async def _delete(self) -> None:
        """Delete what there is, up to ten at a time; what is added meanwhile goes with the next request."""
        try:
            while self._deletions:
                batch, self._deletions = self._deletions[:RECEIVE_MAX], self._deletions[RECEIVE_MAX:]
                await self._aws.call(
                    self._sqs.delete_message_batch,
                    QueueUrl=self._url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                        for number, message in enumerate(batch)
                    ],
                )
        except (ClientError, BotoCoreError) as e:
            # They come back, and the function must be idempotent anyway.
            log.warning("delete failed", extra={"queue": self._url, "error": str(e)})
        finally:
            self._deleting = None
