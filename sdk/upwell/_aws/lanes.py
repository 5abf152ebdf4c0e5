"""Folds the stream of the actions table into items of the runs table, one for each lane of a run.

An item is written under the condition that it is what was read: two functions that get the same changes cannot
both count them. `_core.fold` tells repetitions apart.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from itertools import accumulate, pairwise
from typing import Any, Generic, Protocol, TypeVar

from upwell._aws.clients import Clients
from upwell._aws.dynamodb_items import ABSENT, number, text, version_is
from upwell._aws.dynamodb_table import Item, Table
from upwell._core.settings import Settings
from upwell._core.wire import WireError

logger = logging.getLogger(__name__)

TRIES = 10
"""Races that one lane may lose in a batch before the batch is put back."""


class LaneChange(Protocol):
    """A write of an action record, as the stream tells it."""

    @property
    def run_id(self) -> str:
        """Whose action it was."""

    @property
    def lane(self) -> str:
        """Partition of the run's actions that it happened in."""

    @property
    def sequence_id(self) -> str:
        """The stream's own name of the change."""


C = TypeVar("C", bound=LaneChange)
L = TypeVar("L")


class Lanes(ABC, Generic[C, L]):
    """Applies changes of actions to one item for each lane.

    Args:
        clients: Where the DynamoDB client comes from.
        settings: Name of the runs table.
    """

    sk_prefix: str
    """Of the sort keys of the items; the lane follows."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._runs = Table(clients, settings.runs_table)

    @abstractmethod
    def read_change(self, record: Mapping[str, Any]) -> C | None:
        """Return what a stream record tells, or None when it tells nothing new.

        What it raises says that the record cannot be read: no later try could.
        """

    @abstractmethod
    def fold(self, stored: Item | None, changes: list[C]) -> Item | None:
        """Return an item's new attributes; None when it has all of the changes already."""

    async def apply(self, records: Iterable[Mapping[str, Any]]) -> list[str]:
        """Count stream records, each once however often it comes.

        Args:
            records: Records of a DynamoDB stream, as a Lambda function gets them.

        Returns:
            Sequence numbers of the records that could not be counted and must come again.
        """
        lanes: dict[tuple[str, str], list[C]] = {}
        for record in records:
            try:
                change = self.read_change(record)
            except Exception as e:  # of a later version, or of nobody's making: it must hold up no other
                logger.warning("a change of an action could not be counted", extra=_told(record, e))
                continue
            if change is not None:
                lanes.setdefault((change.run_id, change.lane), []).append(change)
        failed = await asyncio.gather(
            *(self._apply_to_lane(run_id, lane, changes) for (run_id, lane), changes in lanes.items())
        )
        return [change.sequence_id for changes in failed for change in changes]

    async def _apply_to_lane(self, run_id: str, lane: str, changes: list[C]) -> list[C]:
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

    async def _try_lane(self, run_id: str, lane: str, changes: list[C]) -> bool:
        key = {"pk": text(run_id), "sk": text(self.sk_prefix + lane)}
        stored = await self._runs.get(key)
        attributes = self.fold(stored, changes)
        if attributes is None:
            return True
        version = 0 if stored is None else int(stored["version"]["N"])
        item = {**key, **attributes, "version": number(version + 1)}
        return await self._runs.put(item, ABSENT if stored is None else version_is(version))


def _told(record: Mapping[str, Any], error: Exception) -> dict[str, str]:
    """Return what a log may say of a record that cannot be read: whose it was, nothing of what it holds."""
    change = record["dynamodb"]
    pk, sk = (change.get("Keys", {}).get(name, {}).get("S", "") for name in ("pk", "sk"))
    return {
        "run_id": pk.rpartition("#")[0],
        "action_id": sk,
        "sequence_id": change["SequenceNumber"],
        "error": str(error) if isinstance(error, WireError) else type(error).__name__,
    }


def lane_of(image: Mapping[str, Any]) -> str:
    """Return the lane that an action's item is in."""
    return str(image["pk"]["S"].rpartition("#")[2])


def counted_attributes(floor: int, recent: tuple[int, ...]) -> Item:
    """Return as attributes what was counted.

    Sequence numbers have up to 40 digits, the steps between them few: the item stays small, cheap to write.
    """
    steps = [*recent[:1], *(after - before for before, after in pairwise(recent))]
    return {"floor": text(str(floor)), "recent": text(" ".join(map(str, steps)))}


def read_counted(item: Item) -> tuple[int, tuple[int, ...]]:
    """Return what was counted: `floor` and `recent`."""
    return int(item["floor"]["S"]), tuple(accumulate(int(step) for step in item["recent"]["S"].split()))
