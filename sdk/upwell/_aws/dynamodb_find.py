"""Actions of a run by task and status: its partitions are walked, and what is not wanted stays in the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from upwell._aws.dynamodb_items import read_action, text
from upwell._aws.dynamodb_table import Item, Table
from upwell._core.keys import action_pks
from upwell._core.model import ActionRecord

QUERIES_MAX = 20
"""Of one call: all partitions of a small run. Each reads 1 MB at most, some 1,000 records."""
OPERANDS_MAX = 100
"""Of an IN; with more tasks than this, those that are not wanted are left out here."""


async def find_actions(
    table: Table, run_id: str, kinds: Sequence[tuple[str, str]], after: str | None, limit: int
) -> tuple[list[ActionRecord], str | None]:
    """Return some of a run's records; see `Actions.find_actions`.

    Args:
        table: The actions table.
        run_id: Of the run.
        kinds: Tasks and statuses.
        after: Number of the partition to go on with, and of the last action there, if any.
        limit: How many at most.
    """
    pks, wanted = action_pks(run_id), set(kinds)
    number_text, _, action_id = (after or "0").partition(" ")
    number, start = int(number_text), _key(pks[int(number_text)], action_id) if action_id else None
    found: list[ActionRecord] = []
    for asked in range(QUERIES_MAX):
        query = _wanted(pks[number], kinds)
        page = await table.query(query | ({"Limit": limit} if not asked else {}), start)
        for item in page.items:
            record = read_action(item)
            if (record.spec.task.name, record.status.value) in wanted:
                found.append(record)
            if len(found) == limit:
                return found, f"{number} {record.spec.action_id}"
        start = page.next_start
        number += start is None
        if number == len(pks):
            return found, None
    return found, f"{number} {start['sk']['S']}" if start is not None else str(number)


def _key(pk: str, action_id: str) -> Item:
    return {"pk": text(pk), "sk": text(action_id)}


def _wanted(pk: str, kinds: Sequence[tuple[str, str]]) -> dict[str, Any]:
    names, values, filters = {}, {":pk": text(pk)}, []
    for place, name in enumerate(("task", "status")):
        options = sorted({kind[place] for kind in kinds})
        if len(options) > OPERANDS_MAX:
            continue
        keys = [f":{name}{n}" for n in range(len(options))]
        names[f"#{name}"] = name
        values |= {key: text(option) for key, option in zip(keys, options, strict=True)}
        filters.append(f"#{name} IN ({', '.join(keys)})")
    return {
        "KeyConditionExpression": "pk = :pk",
        "FilterExpression": " AND ".join(filters),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
