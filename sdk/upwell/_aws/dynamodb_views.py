"""Views of runs: counts of their actions by task and status, folded from the stream of the actions table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upwell._aws.dynamodb_items import VIEW_SK_PREFIX, number, read_hits
from upwell._aws.dynamodb_table import Item
from upwell._aws.lanes import Lanes, counted_attributes, lane_of, read_counted
from upwell._core.fold import Change, Tally, fold


class DynamoViews(Lanes[Change, Tally]):
    """Applies changes of actions to the counts of their runs: items `view#<lane>`."""

    sk_prefix = VIEW_SK_PREFIX

    def read_change(self, record: Mapping[str, Any]) -> Change | None:
        """Return what a stream record tells, or None when it changes no count."""
        return read_change(record)

    def fold(self, stored: Item | None, changes: list[Change]) -> Item | None:
        """Return a view item's new attributes; None when it has all of the changes already."""
        before = Tally() if stored is None else read_tally(stored)
        after = fold(before, changes)
        return None if after == before else _tally_attributes(after)


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
        lane=lane_of(image),
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
    floor, recent = read_counted(item)
    return Tally(counts=counts, floor=floor, recent=recent)


def _tally_attributes(tally: Tally) -> Item:
    counts = {
        task: {"M": {status: number(count) for status, count in by_status.items()}}
        for task, by_status in tally.counts.items()
    }
    return {"counts": {"M": counts}, **counted_attributes(tally.floor, tally.recent)}
