"""What the scaler did to pools of workers: items of the runs table that expire."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from upwell._aws.clients import Clients
from upwell._aws.dynamodb_items import ABSENT, text, with_expiry
from upwell._aws.dynamodb_table import Table
from upwell._core.keys import journal_sk
from upwell._core.scaling import ScalingEvent, Why
from upwell._core.settings import Settings

SK_PREFIX = "event#"
KEPT_S = 14 * 24 * 3600.0
EVENTS_SHOWN = 100
"""Newest ones of a pool that are read."""
TOGETHER_S = 10.0
"""Within so long, the same change twice is two looks at once, as two events of work sent cause them."""


class ScalingEvents:
    """Records changes of pools, and reads the newest ones.

    Args:
        clients: Where the DynamoDB client comes from.
        settings: Name of the runs table.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._runs = Table(clients, settings.runs_table)

    async def record(self, pool: str, event: ScalingEvent) -> None:
        """Keep an event for two weeks. One that is recorded again stays as it is."""
        change = f"{event.before}-{event.after}"
        key = {"pk": text(scaler_pk(pool)), "sk": text(SK_PREFIX + journal_sk(event.at, change))}
        item = {**key, "event": text(json.dumps(asdict(event)))}
        await self._runs.put(with_expiry(item, event.at, KEPT_S), ABSENT)

    async def newest(self, pool: str) -> list[ScalingEvent]:
        """Return the newest events of a pool, at most 100, newest first."""
        page = await self._runs.query(
            {
                "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
                "ExpressionAttributeValues": {":pk": text(scaler_pk(pool)), ":prefix": text(SK_PREFIX)},
                "ScanIndexForward": False,
                "Limit": EVENTS_SHOWN,
            }
        )
        return _distinct([_read(item["event"]["S"]) for item in page.items])


def scaler_pk(pool: str) -> str:
    """Return the partition of the runs table that is the scaler's, for a pool."""
    return f"pool#{pool}"


def _read(content: str) -> ScalingEvent:
    told: dict[str, Any] = json.loads(content)
    return ScalingEvent(**{**told, "why": Why(told["why"])})


def _distinct(events: list[ScalingEvent]) -> list[ScalingEvent]:
    """Leave out what a second look has done again that was made at the same time as the first."""
    repeated = {id(later) for later, earlier in pairwise(events) if _repeats(later, earlier)}
    return [event for event in events if id(event) not in repeated]


def _repeats(event: ScalingEvent, earlier: ScalingEvent) -> bool:
    is_same = (event.before, event.after) == (earlier.before, earlier.after)
    return is_same and event.at - earlier.at <= TOGETHER_S
