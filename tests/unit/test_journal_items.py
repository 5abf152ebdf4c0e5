"""Entries of a journal share items when they are written together, and come back one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.contract.store_samples import NOW, PARENT, completed, scheduled, succeeded

from upwell._aws.journal_items import journal_items, line, read_lines
from upwell._core.journal import Entry, sort_key
from upwell._core.usage import WRITE_UNIT_BYTES, item_bytes


def written(*entries: Entry, shard: int = 0) -> list[dict[str, dict[str, object]]]:
    return journal_items([line(PARENT, shard, entry) for entry in entries], None)


def test_small_entries_share_items_of_about_a_write_unit() -> None:
    entries = [completed(NOW + i, f"child{i}") for i in range(60)]
    items = written(*entries)
    assert len(items) <= 60 / 6
    assert all(item_bytes(item) <= WRITE_UNIT_BYTES for item in items)
    assert [each.entry for each in read_lines(items)] == entries


def test_entries_of_two_shards_do_not_share_an_item() -> None:
    lines = [line(PARENT, shard, completed(NOW, f"c{shard}")) for shard in (0, 1)]
    assert len(journal_items(lines, None)) == 2


def test_an_entry_alone_is_an_item_under_its_own_key() -> None:
    (item,) = written(scheduled(NOW, "c1", "c2"))
    assert item["sk"] == {"S": sort_key(scheduled(NOW, "c1", "c2"))}


def test_an_entry_that_is_repeated_alone_does_not_replace_those_it_was_written_with() -> None:
    first, last = completed(NOW, "c1"), completed(NOW + 1, "c2")
    items = written(first, last) + written(last)
    assert len({item["sk"]["S"] for item in items}) == 2
    assert [each.entry for each in read_lines(items)] == [first, last]


def test_two_items_that_end_with_the_same_entry_have_keys_of_their_own() -> None:
    last = completed(NOW + 1, "c9")
    keys = {item["sk"]["S"] for name in ("c1", "c2") for item in written(completed(NOW, name), last)}
    assert len(keys) == 2


def test_line_breaks_of_values_are_not_those_between_entries() -> None:
    entries = [completed(NOW + i, f"c{i}", succeeded('"a\\nb\n\u2028"')) for i in range(2)]
    assert [each.entry for each in read_lines(written(*entries))] == entries


def test_items_expire_with_their_newest_entry() -> None:
    (item,) = journal_items([line(PARENT, 0, completed(NOW + i, f"c{i}")) for i in range(2)], 60.0)
    assert item["expires_at"] == {"N": str(int(NOW + 61))}


@given(
    sizes=st.lists(st.integers(0, 3000), min_size=1, max_size=30),
    after=st.integers(-1, 30),
    data=st.data(),
)
def test_whatever_shares_items_all_above_a_key_is_read_once_and_in_order(
    sizes: list[int], after: int, data: st.DataObject
) -> None:
    entries = [completed(NOW + i, f"c{i}", succeeded("x" * size)) for i, size in enumerate(sizes)]
    cut = data.draw(st.integers(0, len(entries)))
    repeated = data.draw(st.integers(0, cut))
    items = written(*entries[:cut]) + written(*entries[repeated:])
    above = sort_key(entries[after]) if 0 <= after < len(entries) else ""
    found = read_lines([item for item in items if item["sk"]["S"] > above], above)
    assert [each.entry for each in found] == [entry for entry in entries if sort_key(entry) > above]
