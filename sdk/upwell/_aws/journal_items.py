"""Journal entries as DynamoDB items, and back: what is written together shares items, up to a write unit.

An item has lines: the entries, in the order of their sort keys. Its own sort key begins with that of its last
entry, so that a reader who asks for everything above a key gets the item if any of its entries is. The rest of
the key tells it apart from another item that ends with the same entry, which must not replace it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from upwell._aws.dynamodb_items import compact, expanded, text, with_expiry
from upwell._aws.dynamodb_table import Item
from upwell._core.journal import Entry, JournalItem, sort_key
from upwell._core.keys import journal_pk
from upwell._core.model import ActionKey
from upwell._core.usage import WRITE_UNIT_BYTES, item_bytes
from upwell._core.wire import dump_entry, load_entry

SHARED_BYTES = 2 * WRITE_UNIT_BYTES
"""Entries share an item up to this size: deflated it takes about one write unit."""


@dataclass(frozen=True)
class Line:
    """An entry on its way into a journal.

    Attributes:
        pk: Partition of its shard.
        entry: What is written.
    """

    pk: str
    entry: Entry

    @cached_property
    def sk(self) -> str:
        """Its place in the shard."""
        return sort_key(self.entry)

    @cached_property
    def content(self) -> str:
        """The entry as text, without line breaks."""
        return dump_entry(self.entry)

    @property
    def plain_item(self) -> Item:
        """The item that it would be alone, as it is: at least as large as what is written."""
        return {"pk": text(self.pk), "sk": text(self.sk), "entry": text(self.content)}

    @cached_property
    def size_bytes(self) -> int:
        """What it adds to an item."""
        return item_bytes(self.plain_item)


def line(parent: ActionKey, shard: int, entry: Entry) -> Line:
    """Return an entry of a parent's journal."""
    return Line(journal_pk(parent.run_id, parent.action_id, shard), entry)


def journal_items(lines: Iterable[Line], retention_s: float | None) -> list[Item]:
    """Return the items that hold lines, each line once, none with the key of another."""
    distinct = sorted({(each.pk, each.sk): each for each in lines}.items())
    return [_item(shared, retention_s) for shared in _shared(each for _, each in distinct)]


def read_lines(items: Iterable[Item], after: str = "") -> list[JournalItem]:
    """Return the entries of a shard's items above a sort key, in order, each once."""
    entries: dict[str, Entry] = {}
    for item in items:
        for content in expanded(item["entry"]).split("\n"):
            entry = load_entry(content)
            entries[sort_key(entry)] = entry
    return [JournalItem(sk, entry) for sk, entry in sorted(entries.items()) if sk > after]


def _shared(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Divide lines, which are in order, into those that share an item."""
    shared: list[Line] = []
    size_bytes = 0
    for each in lines:
        if shared and (each.pk != shared[0].pk or size_bytes + each.size_bytes > SHARED_BYTES):
            yield shared
            shared, size_bytes = [], 0
        shared.append(each)
        size_bytes += each.size_bytes
    if shared:
        yield shared


def _item(lines: Sequence[Line], retention_s: float | None) -> Item:
    content, last = "\n".join(each.content for each in lines), lines[-1]
    sk = last.sk if len(lines) == 1 else f"{last.sk}+{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    item = compact({"pk": text(last.pk), "sk": text(sk)}, "entry", content)
    return with_expiry(item, last.entry.at, retention_s)
