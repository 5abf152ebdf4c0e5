"""Places under limits, in the runs table: an item for each place that is held."""

from __future__ import annotations

import asyncio

from upwell._aws.dynamodb_items import ABSENT, number, text
from upwell._aws.dynamodb_table import Condition, Item, Table
from upwell._core.holds import Hold
from upwell._core.keys import hold_pk, hold_pks, hold_sk
from upwell._core.wire import dump_hold, load_hold

KEPT_S = 86_400.0
"""TTL deletes a hold of the dead so long after it ran out; until then it can be seen."""
ASLEEP_KEPT_S = 400 * 86_400.0
"""A place that sleeps with its action is held for as long as that may sleep: a run ends within 364 days."""


class DynamoHolds:
    """The port `Holds`.

    Args:
        table: The runs table.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    async def list_holds(self, scope: str | None = None) -> list[Hold]:
        """Return what is stored of a scope, or of all, strongly consistent."""
        if scope is not None:
            return await self._list(hold_pk(scope), f"{scope}#")
        shards = await asyncio.gather(*(self._list(pk) for pk in hold_pks()))
        return sorted((hold for shard in shards for hold in shard), key=lambda hold: (hold.scope, hold.place))

    async def _list(self, pk: str, start: str | None = None) -> list[Hold]:
        condition, values = "pk = :pk", {":pk": text(pk)}
        if start is not None:
            condition, values = f"{condition} AND begins_with(sk, :start)", {**values, ":start": text(start)}
        query = {
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }
        return [load_hold(item["hold"]["S"]) for item in await self._table.query_all(query)]

    async def take_hold(self, hold: Hold, *, replaces: Hold | None) -> bool:
        """Write a hold if nobody is in its place, or `replaces` is, unchanged, or the same lease."""
        expression, values = f"{ABSENT.expression} OR lease_id = :own", {":own": text(hold.lease_id)}
        if replaces is not None:
            expression += " OR (lease_id = :seen AND held_until = :until)"
            values |= {":seen": text(replaces.lease_id), ":until": text(repr(replaces.expires_at))}
        return await self._table.put(_item(hold), Condition(expression=expression, values=values))

    async def renew_hold(self, hold: Hold) -> bool:
        """Write a hold anew if its lease is in its place."""
        return await self._table.put(_item(hold), _is_held_by(hold))

    async def release_hold(self, hold: Hold) -> None:
        """Leave a place; nothing happens when another lease is there, or none."""
        await self._table.delete(_key(hold), _is_held_by(hold))


def _key(hold: Hold) -> Item:
    return {"pk": text(hold_pk(hold.scope)), "sk": text(hold_sk(hold.scope, hold.place))}


def _item(hold: Hold) -> Item:
    item = {
        **_key(hold),
        "lease_id": text(hold.lease_id),
        "held_until": text(repr(hold.expires_at)),
        "hold": text(dump_hold(hold)),
    }
    kept_s = ASLEEP_KEPT_S if hold.asleep else KEPT_S
    item["expires_at"] = number(int(hold.expires_at + kept_s))
    return item


def _is_held_by(hold: Hold) -> Condition:
    return Condition(expression="lease_id = :own", values={":own": text(hold.lease_id)})
