"""One DynamoDB table: the few requests that the adapters make, with what DynamoDB leaves undone done."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from upwell._aws.clients import Clients
from upwell._aws.errors import clear_errors, error_code
from upwell._core.limits import DYNAMODB_ITEM_BYTES
from upwell._core.usage import item_bytes
from upwell.errors import UnavailableError, UpwellError

T = TypeVar("T")
Item = dict[str, Any]
"""Attribute name -> value in attribute-value form, such as `{"pk": {"S": "r1"}}`."""

TRIES = 10
"""How often what DynamoDB left unprocessed is asked for again: about 10 s in all."""
BACKOFF_BASE_S, BACKOFF_CAP_S = 0.05, 2.0
BATCH_WRITE_BYTES = 16_000_000
"""Of one BatchWriteItem; below the 16 MiB that DynamoDB takes, as the request has an envelope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition expression with its names and values."""

    expression: str
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """Items of a query, and where the next page starts; None after the last one."""

    items: list[Item]
    next_start: Item | None


class Table:
    """A table, called from threads.

    Args:
        clients: Where its client comes from.
        name: Name of the table.
    """

    def __init__(self, clients: Clients, name: str) -> None:
        self.name = name
        self._clients = clients

    async def get(self, key: Item) -> Item | None:
        """Return an item, strongly consistent."""
        answer = await self._call(
            lambda: self._clients.dynamodb.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        )
        return answer.get("Item")

    async def get_batch(self, keys: Sequence[Item]) -> list[Item]:
        """Return those of the items that exist, strongly consistent, in no particular order.

        Args:
            keys: At most 100, no two alike.
        """
        found: list[Item] = []
        missing: list[Any] = list(keys)
        for attempt in range(TRIES):
            if not missing:
                return found
            await _back_off(attempt)
            items, missing = await self._get_some(missing)
            found += items
        if missing:
            raise self._overloaded("read", len(missing))
        return found

    async def _get_some(self, keys: list[Any]) -> tuple[list[Item], list[Any]]:
        request: Any = {self.name: {"Keys": keys, "ConsistentRead": True}}
        answer = await self._call(lambda: self._clients.dynamodb.batch_get_item(RequestItems=request))
        unprocessed = answer["UnprocessedKeys"].get(self.name, {"Keys": []})
        return list(answer["Responses"].get(self.name, [])), list(unprocessed["Keys"])

    async def put(self, item: Item, condition: Condition) -> bool:
        """Write an item; False when the condition did not hold."""
        self.check_size(item)
        request = {"TableName": self.name, "Item": item, **_conditional(condition)}
        return await self._held(lambda: self._clients.dynamodb.put_item(**request))

    async def delete(self, key: Item, condition: Condition) -> bool:
        """Delete an item; False when the condition did not hold."""
        request = {"TableName": self.name, "Key": key, **_conditional(condition)}
        return await self._held(lambda: self._clients.dynamodb.delete_item(**request))

    async def update(self, key: Item, change: str, values: Mapping[str, Any], condition: Condition) -> bool:
        """Change attributes of an item; False when the condition did not hold.

        Args:
            key: The item.
            change: The update expression.
            values: What it refers to.
            condition: When to do it.
        """
        all_values = replace(condition, values={**condition.values, **values})
        request = {"TableName": self.name, "Key": key, **_conditional(all_values)}
        return await self._held(lambda: self._clients.dynamodb.update_item(UpdateExpression=change, **request))

    async def _held(self, write: Callable[[], object]) -> bool:
        try:
            await self._call(write)
        except ClientError as e:
            if error_code(e) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    async def put_batch(self, items: Sequence[Item]) -> None:
        """Write items without conditions.

        Args:
            items: At most 25 and 16 MB, no two with the same key.
        """
        await self._write_all([{"PutRequest": {"Item": item}} for item in items])

    async def _write_all(self, missing: list[Any]) -> None:
        for attempt in range(TRIES):
            if not missing:
                return
            await _back_off(attempt)
            missing = await self._write_some(missing)
        if missing:
            raise self._overloaded("written", len(missing))

    async def delete_batch(self, keys: Sequence[Item]) -> None:
        """Delete items without conditions; those that do not exist are none the worse.

        Args:
            keys: At most 25, no two alike.
        """
        await self._write_all([{"DeleteRequest": {"Key": key}} for key in keys])

    async def _write_some(self, requests: list[Any]) -> list[Any]:
        request = {self.name: requests}
        answer = await self._call(lambda: self._clients.dynamodb.batch_write_item(RequestItems=request))
        return list(answer["UnprocessedItems"].get(self.name, []))

    async def query(self, request: Mapping[str, Any], start: Item | None = None) -> Page:
        """Return one page of a query; `TableName` is filled in."""
        asked: Any = {**request, "TableName": self.name}
        if start is not None:
            asked["ExclusiveStartKey"] = start
        answer = await self._call(lambda: self._clients.dynamodb.query(**asked))
        return Page(list(answer["Items"]), answer.get("LastEvaluatedKey"))

    async def scan(self, request: Mapping[str, Any], start: Item | None = None) -> Page:
        """Return one page of the whole table; `TableName` is filled in."""
        asked: Any = {**request, "TableName": self.name}
        if start is not None:
            asked["ExclusiveStartKey"] = start
        answer = await self._call(lambda: self._clients.dynamodb.scan(**asked))
        return Page(list(answer["Items"]), answer.get("LastEvaluatedKey"))

    async def query_all(self, request: Mapping[str, Any]) -> list[Item]:
        """Return all items of a query."""
        page = await self.query(request)
        items = page.items
        while page.next_start is not None:
            page = await self.query(request, page.next_start)
            items += page.items
        return items

    def check_size(self, item: Item) -> None:
        """Refuse what DynamoDB would refuse, before it costs the other items of a batch.

        Raises:
            UpwellError: the item is larger than 400 KB.
        """
        size_bytes = item_bytes(item)
        if size_bytes > DYNAMODB_ITEM_BYTES:
            key = "/".join(next(iter(item[name].values())) for name in ("pk", "sk") if name in item)
            raise UpwellError(
                f"item {key} of table {self.name} has {size_bytes} bytes, DynamoDB takes "
                f"{DYNAMODB_ITEM_BYTES}; pass large values as File or Directory, and keep error texts, custom "
                "context and environment variables small"
            )

    async def _call(self, request: Callable[[], T]) -> T:
        with clear_errors(f"table {self.name}"):
            return await self._clients.call(request)

    def _overloaded(self, what: str, count: int) -> UnavailableError:
        return UnavailableError(
            f"{count} items of table {self.name} could not be {what} in {TRIES} tries: DynamoDB is throttling; "
            "try again in some minutes, or lower the number of children in flight"
        )


def _conditional(condition: Condition) -> dict[str, Any]:
    request: dict[str, Any] = {"ConditionExpression": condition.expression}
    if condition.names:
        request["ExpressionAttributeNames"] = condition.names
    if condition.values:
        request["ExpressionAttributeValues"] = condition.values
    return request


async def _back_off(attempt: int) -> None:
    if attempt:
        # Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        await asyncio.sleep(random.uniform(0, min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2**attempt)))
