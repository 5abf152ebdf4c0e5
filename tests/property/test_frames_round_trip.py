"""Any table comes back from a parquet file, and its hash is that of what it holds and of nothing else."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from upwell._types.frames import frame_files, frame_reading
from upwell._types.frames.frame_digest import table_digest

INSTANTS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1))
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=4)
POINT = pa.struct({"x": pa.int8(), "y": pa.string()})
VALUES: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.int8(), st.integers(-128, 127)),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.float64(), st.floats(allow_nan=False)),
    (pa.bool_(), st.booleans()),
    (pa.string(), TEXTS),
    (pa.large_string(), TEXTS),
    (pa.string_view(), TEXTS),
    (pa.binary(2), st.binary(min_size=2, max_size=2)),
    (pa.timestamp("us", "Europe/Berlin"), INSTANTS),
    (pa.timestamp("s"), INSTANTS.map(lambda at: at.replace(microsecond=0))),
    (pa.date32(), st.dates()),
    (pa.duration("ms"), st.integers(-(2**40), 2**40)),
    (pa.decimal128(6, 2), st.decimals(-99, 99, places=2)),
    (pa.null(), st.none()),
    (pa.list_(pa.int16()), st.lists(st.none() | st.integers(-9, 9), max_size=3)),
    (pa.list_(pa.float32(), 2), st.lists(st.integers(-9, 9), min_size=2, max_size=2)),
    (POINT, st.fixed_dictionaries({"x": st.integers(0, 9), "y": TEXTS})),
    (
        pa.map_(pa.string(), pa.int8()),
        st.dictionaries(TEXTS, st.integers(0, 9), max_size=2).map(lambda d: [*d.items()]),
    ),
    (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["low", "high"])),
]


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(st.integers(0, 6))
    kinds = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=4))
    columns = {}
    for number, (kind, values) in enumerate(kinds):
        items = draw(st.lists(st.none() | values, min_size=rows, max_size=rows))
        if pa.types.is_dictionary(kind):
            columns[f"c{number}"] = pa.array(items, kind.value_type).dictionary_encode().cast(kind)
        else:
            columns[f"c{number}"] = pa.array(items, kind)
    return pa.table(columns)


@settings(max_examples=60, deadline=None)
@given(table=tables(), cuts=st.lists(st.integers(0, 6), max_size=3))
def test_a_table_comes_back_and_its_chunks_do_not_count(table: pa.Table, cuts: list[int]) -> None:
    reference = frame_files.inlined(table)
    returned = frame_reading.read(reference, pa.Table)
    assert returned.equals(table)
    ends = sorted({0, table.num_rows, *(cut for cut in cuts if cut < table.num_rows)})
    parts = [table.slice(start, end - start) for start, end in pairwise(ends)]
    has_odd_layout = any(pa.types.is_map(kind) for kind in table.schema.types)
    if parts and not has_odd_layout:
        assert table_digest(pa.concat_tables(parts)) == reference.digest
    assert table_digest(table.rename_columns([f"{name}!" for name in table.column_names])) != reference.digest


@settings(max_examples=60, deadline=None)
@given(left=tables(), right=tables())
def test_tables_that_differ_have_different_hashes(left: pa.Table, right: pa.Table) -> None:
    assert (table_digest(left) == table_digest(right)) == left.equals(right)


def test_what_memory_holds_where_a_value_is_missing_does_not_count() -> None:
    data, valid = pa.py_buffer(bytes([1, 2, 3])), pa.py_buffer(bytes([0b101]))
    one = pa.Array.from_buffers(pa.int8(), 3, [valid, data])
    other = pa.array([1, None, 3], pa.int8())
    assert table_digest(pa.table({"a": one})) == table_digest(pa.table({"a": other}))
