"""Event source mappings of DynamoDB streams, as Lambda polls them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from upwell_runtime.sandbox.aws import Aws
from upwell_runtime.sandbox.events import BatchAnswerError, failed_items, stream_event
from upwell_runtime.sandbox.invocation import InvocationError
from upwell_runtime.sandbox.lambda_host import FunctionHost
from upwell_runtime.sandbox.queue_poller import SourceMapping

log = logging.getLogger(__name__)

POLL_S = 0.25
"""Lambda reads each shard four times a second."""
WINDOW_SHARE = 0.1
"""Records are gathered for a part of their mapping's window: people wait, and nobody pays for writes."""
EVENT_BYTES_MAX = 6 * 1024 * 1024
RETRY_MAX_S = 5.0

Records = Sequence[Mapping[str, Any]]


class StreamPoller:
    """Reads one stream in order and invokes the function with batches.

    The place in the stream is kept in memory: the emulated table does not outlive the sandbox either.
    """

    def __init__(self, aws: Aws, mapping: SourceMapping, function: FunctionHost) -> None:
        self._aws = aws
        self._streams = aws.client("dynamodbstreams")
        self._mapping = mapping
        self._function = function

    async def run(self) -> None:
        """Read every shard, for ever."""
        described = await self._aws.call(self._streams.describe_stream, StreamArn=self._mapping.source_arn)
        async with asyncio.TaskGroup() as group:
            for shard in described["StreamDescription"]["Shards"]:
                group.create_task(self._read_shard(shard["ShardId"]))

    async def _read_shard(self, shard_id: str) -> None:
        iterator = await self._iterator(shard_id)
        while iterator:
            try:
                answer = await self._aws.call(
                    self._streams.get_records, ShardIterator=iterator, Limit=self._mapping.batch_size
                )
            except (ClientError, BotoCoreError) as e:
                log.warning("read failed; reading again", extra={"stream": shard_id, "error": str(e)})
                await asyncio.sleep(POLL_S)
                continue
            await self._deliver(answer["Records"])
            iterator = answer.get("NextShardIterator")
            if len(answer["Records"]) < self._mapping.batch_size:
                await asyncio.sleep(max(POLL_S, WINDOW_SHARE * self._mapping.window_s))

    async def _iterator(self, shard_id: str) -> str:
        answer = await self._aws.call(
            self._streams.get_shard_iterator,
            StreamArn=self._mapping.source_arn,
            ShardId=shard_id,
            ShardIteratorType=self._mapping.starting_position,
        )
        return str(answer["ShardIterator"])

    async def _deliver(self, records: Records) -> None:
        """Invoke the function until every record is dealt with, in order."""
        attempts, most = 0, len(records)
        while records:
            batch, event = self._fitting(records[:most])
            dealt_with = await self._invoke(batch, event)
            records = records[dealt_with:]
            attempts = 0 if dealt_with else attempts + 1
            if self._mapping.bisects:
                # Halves keep one bad record from holding up the good ones before it.
                most = len(records) if dealt_with else max(1, len(batch) // 2)
            if 0 <= self._mapping.retries_max < attempts:
                log.error(
                    "records given up", extra={"function": self._function.spec.name, "records": len(batch)}
                )
                records, attempts = records[len(batch) :], 0
            elif attempts:
                await asyncio.sleep(min(RETRY_MAX_S, 0.1 * 2**attempts))

    def _fitting(self, records: Records) -> tuple[Records, bytes]:
        """Return the first records that fit into one event, and the event."""
        event = json.dumps(stream_event(records, stream_arn=self._mapping.source_arn)).encode()
        if len(records) > 1 and len(event) > EVENT_BYTES_MAX:
            return self._fitting(records[: len(records) // 2])
        return records, event

    async def _invoke(self, records: Records, event: bytes) -> int:
        """Invoke the function once; return how many of the first records it dealt with."""
        try:
            answer = await self._function.invoke(event)
            if not self._mapping.reports_failures:
                return len(records)
            numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
            failed = failed_items(answer, known=numbers)
        except (InvocationError, BatchAnswerError) as e:
            log.warning(
                "batch of a stream failed", extra={"function": self._function.spec.name, "error": str(e)}
            )
            return 0
        # What comes after the first failure is delivered again with it: the order must hold.
        return next((at for at, number in enumerate(numbers) if number in failed), len(records))
