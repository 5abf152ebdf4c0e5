"""Views of runs: what the stream of the actions table is folded into, in the runs table.

Every lane of a run has an item of its own (`view#<lane>`), written under the condition that it is what was
read: two functions that get the same changes cannot both count them. `_core.fold` tells repetitions apart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from itertools import accumulate, pairwise
from typing import Any

from upwell._aws.clients import Clients
from upwell._aws.dynamodb_items import ABSENT, VIEW_SK_PREFIX, number, read_hits, text, version_is
from upwell._aws.dynamodb_table import Item, Table
from upwell._core.fold import Change, Tally, fold
from upwell._core.settings import Settings

logger = logging.getLogger(__name__)

TRIES = 10
"""Races that one lane may lose in a batch before the batch is put back."""


class DynamoViews:
    """Applies changes of actions to the views of their runs.

    Args:
        clients: Where the DynamoDB client comes from.
        settings: Name of the runs table.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._runs = Table(clients, settings.runs_table)

    async def apply(self, records: Iterable[Mapping[str, Any]]) -> list[str]:
        """Count stream records, each once however often it comes.

        Args:
            records: Records of a DynamoDB stream, as a Lambda function gets them.

        Returns:
            Sequence numbers of the records that could not be counted and must come again.
        """
        lanes: dict[tuple[str, str], list[Change]] = {}
        for record in records:
            change = read_change(record)
            if change is not None:
                lanes.setdefault((change.run_id, change.lane), []).append(change)
        failed = await asyncio.gather(
            *(self._apply_to_lane(run_id, lane, changes) for (run_id, lane), changes in lanes.items())
        )
        return [change.sequence_id for changes in failed for change in changes]

    async def _apply_to_lane(self, run_id: str, lane: str, changes: list[Change]) -> list[Change]:
        """Return the changes that failed: none, or all."""
        try:
            for _ in range(TRIES):
                if await self._try_lane(run_id, lane, changes):
                    return []
        except Exception:
            logger.exception("a view could not be written", extra={"run_id": run_id, "lane": lane})
            return changes
        logger.warning("a view was written by others all the time", extra={"run_id": run_id, "lane": lane})
        return changes

    async def _try_lane(self, run_id: str, lane: str, changes: list[Change]) -> bool:
        key = {"pk": text(run_id), "sk": text(VIEW_SK_PREFIX + lane)}
        stored = await self._runs.get(key)
        before = Tally() if stored is None else read_tally(stored)
        after = fold(before, changes)
        if after == before:
            return True
        version = 0 if stored is None else int(stored["version"]["N"])
        item = {**key, **_tally_attributes(after), "version": number(version + 1)}
        return await self._runs.put(item, ABSENT if stored is None else version_is(version))


def read_change(record: Mapping[str, Any]) -> Change | None:
    """Return what a stream record tells, or None when it changes no count.

    A removal changes none: what happened stays counted after its record has expired.
    """
    image, before = record["dynamodb"].get("NewImage"), record["dynamodb"].get("OldImage", {})
    if not image or "task" not in image:
        return None
    old, new = before.get("status", {}).get("S"), image["status"]["S"]
    hits = {task: n - read_hits(before).get(task, 0) for task, n in read_hits(image).items()}
    if old == new and not any(hits.values()):
        return None
    return Change(
        run_id=image["run_id"]["S"],
        lane=image["pk"]["S"].rpartition("#")[2],
        sequence_id=record["dynamodb"]["SequenceNumber"],
        task=image["task"]["S"],
        before=old,
        after=new,
        hits={task: n for task, n in hits.items() if n},
    )


def read_tally(item: Item) -> Tally:
    """Return the tally of a view item."""
    counts = {
        task: {status: int(count["N"]) for status, count in by_status["M"].items()}
        for task, by_status in item["counts"]["M"].items()
    }
    steps = [int(step) for step in item["recent"]["S"].split()]
    return Tally(counts=counts, floor=int(item["floor"]["S"]), recent=tuple(accumulate(steps)))


def _tally_attributes(tally: Tally) -> Item:
    counts = {
        task: {"M": {status: number(count) for status, count in by_status.items()}}
        for task, by_status in tally.counts.items()
    }
    # Sequence numbers have up to 40 digits, the steps between them few: the item stays small, cheap to write.
    steps = [*tally.recent[:1], *(after - before for before, after in pairwise(tally.recent))]
    return {
        "counts": {"M": counts},
        "floor": text(str(tally.floor)),
        "recent": text(" ".join(map(str, steps))),
    }
