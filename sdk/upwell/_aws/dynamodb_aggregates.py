"""Aggregates of runs, folded from the stream of the actions table: items `sums#<lane>` of the runs table.

They are folded apart from the counts of `dynamodb_views`, and less often: an item of theirs takes some write
units, whatever the number of changes that it takes in.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from upwell._aws.dynamodb_items import read_image
from upwell._aws.dynamodb_table import Item
from upwell._aws.lanes import Lanes, counted_attributes, lane_of, read_counted
from upwell._core.aggregate_form import dump_aggregates, load_aggregates
from upwell._core.aggregates import Aggregates, all_facts_of
from upwell._core.fold import Ledger, Move, fold_moves

SUMS_SK_PREFIX = "sums#"


class DynamoAggregates(Lanes[Move, Ledger]):
    """Applies changes of actions to the aggregates of their runs."""

    sk_prefix = SUMS_SK_PREFIX

    def read_change(self, record: Mapping[str, Any]) -> Move | None:
        """Return what a stream record tells, or None when it changes nothing that is counted.

        A removal changes nothing: what happened stays counted after its record has expired.
        """
        image, before = record["dynamodb"].get("NewImage"), record["dynamodb"].get("OldImage")
        if not image or "record" not in image:
            return None
        was = all_facts_of(read_image(before)) if before else None
        now = all_facts_of(read_image(image))
        if was == now:
            return None
        return Move(
            run_id=image["run_id"]["S"],
            lane=lane_of(image),
            sequence_id=record["dynamodb"]["SequenceNumber"],
            before=was,
            after=now,
        )

    def fold(self, stored: Item | None, changes: list[Move]) -> Item | None:
        """Return an item's new attributes; None when it has all of the changes already."""
        before = Ledger() if stored is None else _read_ledger(stored)
        after = fold_moves(before, changes)
        return None if after is before else _ledger_attributes(after)


def read_aggregates(items: Iterable[Item]) -> Aggregates:
    """Return what the items of a run's lanes say together."""
    found = Aggregates()
    for item in items:
        found.add(_read_ledger(item).aggregates)
    return found


def _read_ledger(item: Item) -> Ledger:
    floor, recent = read_counted(item)
    aggregates = load_aggregates(zlib.decompress(item["sums"]["B"]).decode())
    return Ledger(aggregates=aggregates, floor=floor, recent=recent)


def _ledger_attributes(ledger: Ledger) -> Item:
    # Deflated at any size: names and numbers look alike, and each KB is a write unit.
    sums = zlib.compress(dump_aggregates(ledger.aggregates).encode(), 9)
    return {"sums": {"B": sums}, **counted_attributes(ledger.floor, ledger.recent)}
