"""Queues on SQS: one standard queue per pool, fair between runs by message group.

Single operations share batch requests without a timer: what piles up while a request is in flight goes into the
next one.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from upwell._aws.announcer import Announcer
from upwell._aws.clients import Clients
from upwell._aws.errors import clear_errors, is_missing_queue
from upwell._aws.queue_batches import Entry, entry_batcher
from upwell._core.limits import (
    SQS_BATCH_BYTES,
    SQS_BATCH_ITEMS,
    SQS_DELAY_MAX_S,
    SQS_VISIBILITY_MAX_S,
)
from upwell._core.ports import Delivery, PoolNotFoundError
from upwell._core.settings import Settings
from upwell._core.wire import Message, WireError, dump_message, load_message, salvage_message
from upwell._exec.batcher import Batcher

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef, ReceiveMessageResultTypeDef

logger = logging.getLogger(__name__)
T = TypeVar("T")

LONG_POLL_MAX_S = 20
PARALLEL = {"send_message_batch": 4, "delete_message_batch": 2, "change_message_visibility_batch": 1}
"""Requests in flight per pool. More would send smaller batches: with few, requests fill up."""
PATIENCE_S = {"send_message_batch": 0.03, "delete_message_batch": 0.1, "change_message_visibility_batch": 0.0}
"""How long a batch that is not full waits for one in flight: about as long as that takes, and longer for
deletions, for which nobody waits. What is alone does not wait."""
RECEIPT_GONE = frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue"})
"""Failures which say that the message was deleted, or was shown again since it was received."""
_RECEIVE_COUNT: Final = "ApproximateReceiveCount"


class MessageTooLargeError(ValueError):
    """A message is larger than SQS takes."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages a queue holds, approximately."""

    visible: int
    in_flight: int
    delayed: int = 0


class SqsQueue:
    """`ActionQueue` on SQS.

    Args:
        clients: Makes the requests.
        settings: Names the queues.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings
        self._batchers: dict[tuple[str, str], Batcher[Entry, None]] = {}
        self._announcer = Announcer(clients, settings)

    async def send(self, pool: str, messages: Sequence[Message], delay_s: float = 0.0) -> None:
        """Send messages, fair between runs; returns when SQS has them all.

        Args:
            pool: Whose queue.
            messages: Any number.
            delay_s: Not to be received earlier; capped at 900 s, which is what SQS can do.

        Raises:
            PoolNotFoundError: no such queue.
            MessageTooLargeError: a message is above 1 MiB; none is sent then.
        """
        entries = [_send_entry(message, delay_s) for message in messages]
        sending = self._submit(pool, "send_message_batch", entries)
        if delay_s > 0:
            await sending
        else:
            await asyncio.gather(sending, self._announcer.sent(pool, len(messages)))

    async def receive(self, pool: str, max_messages: int, wait_s: float, visibility_s: float) -> list[Delivery]:
        """Wait for messages, at most 10 at a time, and hide them from other receivers for `visibility_s`.

        A message that cannot be read stays in the queue, until SQS moves it to the dead-letter queue. When the
        caller is cancelled, what the poll still receives is shown again.

        Raises:
            PoolNotFoundError: no such queue.
        """
        poll = _Poll(
            self._clients,
            QueueUrl=self._settings.queue_url(pool),
            MaxNumberOfMessages=max(1, min(max_messages, SQS_BATCH_ITEMS)),
            WaitTimeSeconds=_seconds(wait_s, LONG_POLL_MAX_S),
            VisibilityTimeout=_seconds(visibility_s, SQS_VISIBILITY_MAX_S),
            MessageSystemAttributeNames=[_RECEIVE_COUNT],
        )
        try:
            response = await self._call(pool, poll.receive)
        except asyncio.CancelledError:
            poll.abandon()
            raise
        return _deliveries(pool, response.get("Messages", ()))

    async def delete(self, deliveries: Sequence[Delivery]) -> None:
        """Remove messages for good; one that is gone already is no error."""
        for pool, receipts in _by_pool(deliveries).items():
            entries = [{"ReceiptHandle": receipt} for receipt in receipts]
            await self._submit(pool, "delete_message_batch", entries)

    async def hide(self, delivery: Delivery, visibility_s: float) -> None:
        """Change how long a received message stays hidden, from now; 0 shows it at once."""
        timeout_s = _seconds(visibility_s, SQS_VISIBILITY_MAX_S)
        entry = {"ReceiptHandle": delivery.receipt, "VisibilityTimeout": timeout_s}
        await self._submit(delivery.pool, "change_message_visibility_batch", [entry])

    async def put_aside(self, pool: str, receipt: str) -> None:
        """Hide a received message that nobody can read for as long as SQS can: it is left for people to see."""
        entry = {"ReceiptHandle": receipt, "VisibilityTimeout": SQS_VISIBILITY_MAX_S}
        await self._submit(pool, "change_message_visibility_batch", [entry])

    async def depth(self, pool: str) -> Depth:
        """Return how many messages wait in a pool's queue, and how many are being worked on.

        Raises:
            PoolNotFoundError: no such queue.
        """
        url = self._settings.queue_url(pool)
        response = await self._call(
            pool,
            lambda: self._clients.sqs.get_queue_attributes(
                QueueUrl=url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            ),
        )
        found = response["Attributes"]
        return Depth(
            int(found["ApproximateNumberOfMessages"]),
            int(found["ApproximateNumberOfMessagesNotVisible"]),
            int(found.get("ApproximateNumberOfMessagesDelayed", 0)),
        )

    async def waiting(self, pool: str) -> int:
        """Return about how many messages are ready to be received, or delayed.

        Raises:
            PoolNotFoundError: no such queue.
        """
        depth = await self.depth(pool)
        return depth.visible + depth.delayed

    async def exists(self, pool: str) -> bool:
        """Whether a pool has a queue, that is, whether it is deployed."""
        try:
            await self.depth(pool)
        except PoolNotFoundError:
            return False
        return True

    async def aclose(self) -> None:
        """Finish what is being sent and refuse what comes later."""
        for batcher in self._batchers.values():
            await batcher.aclose()

    async def _submit(self, pool: str, operation: str, entries: Sequence[Entry]) -> None:
        batcher = self._batchers.get((pool, operation))
        if batcher is None:
            batcher = self._batchers[pool, operation] = self._batcher(pool, operation)
        if len(entries) == 1:
            await batcher.submit(entries[0])
        else:
            await asyncio.gather(*(batcher.submit(entry) for entry in entries))

    def _batcher(self, pool: str, operation: str) -> Batcher[Entry, None]:
        url = self._settings.queue_url(pool)

        async def request(entries: list[Entry]) -> Mapping[str, Any]:
            def call() -> Mapping[str, Any]:
                response: Mapping[str, Any] = getattr(self._clients.sqs, operation)(
                    QueueUrl=url, Entries=entries
                )
                return response

            return await self._call(pool, call)

        sends = operation == "send_message_batch"
        what = f"{operation.removesuffix('_batch')} of pool {pool!r}"
        harmless = () if sends else RECEIPT_GONE
        return entry_batcher(
            request,
            what,
            parallel=PARALLEL[operation],
            patience_s=PATIENCE_S[operation],
            harmless=harmless,
        )

    async def _call(self, pool: str, request: Callable[[], T]) -> T:
        with clear_errors(f"queue {self._settings.prefix}-{pool}"):
            try:
                return await self._clients.call(request)
            except ClientError as e:
                if is_missing_queue(e):
                    raise PoolNotFoundError(pool) from e
                raise


class _Poll:
    """One long poll in a thread. A thread cannot be cancelled: what it receives for nobody, it gives back."""

    def __init__(self, clients: Clients, **request: Any) -> None:
        self._clients = clients
        self._request = request
        self._lock = threading.Lock()
        self._abandoned = False
        self._received: Sequence[MessageTypeDef] = ()

    def receive(self) -> ReceiveMessageResultTypeDef:
        """Receive; runs in the thread."""
        response = self._clients.sqs.receive_message(**self._request)
        with self._lock:
            self._received = response.get("Messages", ())
            abandoned = self._abandoned
        if abandoned:
            self._give_back()
        return response

    def abandon(self) -> None:
        """Note that nobody waits any more; runs in the event loop."""
        with self._lock:
            self._abandoned = True
            received = bool(self._received)
        if received:  # the answer and the cancellation crossed
            threading.Thread(target=self._give_back, name="upwell-give-back").start()

    def _give_back(self) -> None:
        entries: list[Any] = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
            for number, message in enumerate(self._received)
        ]
        if entries:
            url = self._request["QueueUrl"]
            try:
                self._clients.sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
            except (BotoCoreError, ClientError) as e:  # they are shown by themselves, only later
                logger.info("messages could not be given back", extra={"error": str(e)})


def salvaged_from_lambda_record(record: Mapping[str, Any], pool: str) -> Delivery | None:
    """Return as much of an unreadable record as it takes to end its action; None if that is not there."""
    message = salvage_message(record["body"])
    if message is None:
        return None
    received = int(record["attributes"][_RECEIVE_COUNT])
    return Delivery(pool=pool, message=message, receipt=record["receiptHandle"], received=received)


def delivery_from_lambda_record(record: Mapping[str, Any], pool: str) -> Delivery:
    """Return the delivery that a record of an SQS event of Lambda is.

    Args:
        record: A member of the event's `Records`.
        pool: Whose queue the event came from.

    Raises:
        WireError: the body is not an action message.
    """
    return Delivery(
        pool=pool,
        message=load_message(record["body"]),
        receipt=record["receiptHandle"],
        received=int(record["attributes"][_RECEIVE_COUNT]),
    )


def _send_entry(message: Message, delay_s: float) -> Entry:
    body = dump_message(message)
    size_bytes = len(body.encode())
    if size_bytes > SQS_BATCH_BYTES:
        raise MessageTooLargeError(
            f"the message of action {message.action.action_id} ({message.action.task.name}) is {size_bytes} "
            f"bytes, SQS takes {SQS_BATCH_BYTES}; pass large values as File or Directory"
        )
    entry: Entry = {"MessageBody": body, "MessageGroupId": message.action.run.run_id}
    if delay_s > 0:
        entry["DelaySeconds"] = _seconds(delay_s, SQS_DELAY_MAX_S)
    return entry


def _deliveries(pool: str, received: Sequence[MessageTypeDef]) -> list[Delivery]:
    deliveries = []
    for item in received:
        try:
            message = load_message(item["Body"])
        except WireError as e:
            fields = {"pool": pool, "message_id": item["MessageId"], "error": str(e)}
            logger.error("a message cannot be read; it is left for the dead-letter queue", extra=fields)
            continue
        count = int(item["Attributes"][_RECEIVE_COUNT])
        deliveries.append(Delivery(pool=pool, message=message, receipt=item["ReceiptHandle"], received=count))
    return deliveries


def _by_pool(deliveries: Sequence[Delivery]) -> dict[str, list[str]]:
    receipts: dict[str, list[str]] = {}
    for delivery in deliveries:
        receipts.setdefault(delivery.pool, []).append(delivery.receipt)
    return receipts


def _seconds(duration_s: float, at_most_s: int) -> int:
    """Return a duration as SQS takes it: whole seconds, rounded up, within its limit."""
    return min(max(0, math.ceil(duration_s)), at_most_s)
