"""References to frames: written once, read in part, described without being read."""

from __future__ import annotations

import dataclasses
import pickle
import random
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from upwell._types.blocking import run_blocking
from upwell._types.io_context import IoContext, use_io_context
from upwell.io import DataFrame, HashFunction

ROWS, GROUP = 5_000, 500
NUMBERS = range(ROWS)
WIDE = pa.table({"a": NUMBERS, "b": NUMBERS, "c": NUMBERS, "text": ["x" * 100] * ROWS})


@pytest.fixture
def grouped(io_context: IoContext, tmp_path: Path) -> DataFrame:
    """A frame of ten row groups, in the storage of the context."""
    path, target = tmp_path / "grouped.parquet", io_context.fresh_uri("grouped.parquet")
    pq.write_table(WIDE, path, row_group_size=GROUP, compression="none", use_dictionary=False)
    run_blocking(io_context.transfer_for(target).upload(path, target))  # type: ignore[arg-type]  # a coroutine
    return DataFrame.from_existing_remote(target)


async def test_columns_rows_and_row_groups_can_be_selected(grouped: DataFrame) -> None:
    assert (await grouped.open(pa.Table).all()).equals(WIDE)
    table = grouped.open(pa.Table, columns=["c", "a"], row_groups=[9, 0]).all_sync()
    assert table.column_names == ["c", "a"]
    assert table["a"].to_pylist() == [*range(9 * GROUP, ROWS), *range(GROUP)]
    first = WIDE.slice(0, 3).select(["a"])
    for filters in ([("b", "<", 3)], [[("b", "<", 2)], [("a", "==", 2)]], pc.field("b") < 3):
        opened = grouped.open(pa.Table, columns=["a"], filters=filters)
        assert (await opened.all()).equals(first)
        assert pa.concat_tables([part async for part in opened.iter()]).equals(first)
    last = grouped.open(pd.DataFrame, columns=["a"], row_groups=[9], filters=[("b", ">=", ROWS - 1)])
    assert last.all_sync()["a"].tolist() == [ROWS - 1]


async def test_parts_come_one_after_the_other(grouped: DataFrame) -> None:
    parts = grouped.open(pd.DataFrame, columns=["a"]).iter(batch_rows=2_000)
    sizes = [len(part) async for part in parts]
    assert sum(sizes) == ROWS
    assert max(sizes) <= 2_000
    assert sum(part.height for part in grouped.open(pl.DataFrame).iter_sync()) == ROWS


@pytest.mark.parametrize(
    ("selected", "error", "message"),
    [
        ({"columns": ["z"]}, KeyError, "no column 'z'; the frame has 'a', 'b', 'c', 'text'"),
        ({"row_groups": [10]}, ValueError, "no row group 10; the file has 10, from 0 on"),
    ],
)
def test_what_is_not_there_is_an_error(
    grouped: DataFrame, selected: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        grouped.open(pa.Table, **selected).all_sync()


class Counted:
    """A transfer that counts the bytes of what is opened, and can do nothing else."""

    def __init__(self, transfer: Any) -> None:
        self._transfer = transfer
        self.read_bytes = 0

    async def open_read(self, uri: str, **options: Any) -> Any:
        source = await self._transfer.open_read(uri, **options)
        read = source.read

        async def counted(size: int = -1) -> bytes:
            data: bytes = await read(size)
            self.read_bytes += len(data)
            return data

        source.read = counted
        return source


async def test_what_is_not_selected_is_not_fetched(remote_io: IoContext, tmp_path: Path) -> None:
    chance = random.Random(1)
    big = pa.table({"text": [chance.randbytes(1000) for _ in NUMBERS], "a": NUMBERS})
    frame = await DataFrame.from_local(big)
    counted = Counted(remote_io.transfers["s3"])
    with use_io_context(dataclasses.replace(remote_io, transfers={"s3": counted})):
        seen = await DataFrame.from_existing_remote(str(frame.uri)).inspect()
        assert seen.columns == {"text": "binary", "a": "int64"}
        assert seen.num_rows == ROWS
        assert frame.open(pa.Table, columns=["a"]).all_sync()["a"].to_pylist() == list(NUMBERS)
    blobs = await remote_io.transfer_for("s3://").list(remote_io.raw_data_prefix)
    whole = sum(blob.size_bytes for blob in blobs)
    assert whole > 1000 * ROWS
    assert 0 < counted.read_bytes < whole / 10


async def test_a_frame_is_written_where_and_with_what_is_asked_for(io_context: IoContext) -> None:
    frame = pd.DataFrame({"x": [1, 2], "y": [3, 4]}, index=pd.Index(["a", "b"], name="key"))
    target = io_context.fresh_uri("chosen.parquet")
    rows = HashFunction.from_fn(lambda frame: f"{len(frame)} rows")
    written = await DataFrame.from_local(frame, columns=["y"], remote_destination=target, hash_method=rows)
    assert (written.uri, written.hash, written.num_rows) == (target, "2 rows", 2)
    pd.testing.assert_frame_equal(written.open(pd.DataFrame).all_sync(), frame[["y"]])
    again = DataFrame.from_local_sync(frame)
    assert DataFrame.from_local_sync(frame.copy()).uri == again.uri != target
    assert DataFrame.from_local_sync(frame, hash_method="given").hash == "given"


async def test_files_of_this_machine_and_others_formats_are_read(io_context: IoContext, tmp_path: Path) -> None:
    pq.write_table(WIDE, tmp_path / "there.parquet")
    frame = await DataFrame.from_local(tmp_path / "there.parquet", columns=["b"])
    assert frame.columns == {"b": "int64"}
    (tmp_path / "some.csv").write_text("a,b\n1,x\n2,y\n")
    csv = DataFrame(uri=tmp_path / "some.csv", format="csv")
    assert csv.open(pl.DataFrame, filters=[("a", ">", 1)]).all_sync().to_dicts() == [{"a": 2, "b": "y"}]
    assert [len(part) for part in csv.open(pd.DataFrame).iter_sync(batch_rows=1)] == [1, 1]
    with pytest.raises(ValueError, match="format 'orc' cannot be read; there are 'parquet' and 'csv'"):
        DataFrame(uri="a.orc", format="orc").open(pa.Table).all_sync()


def test_a_folder_of_files_is_one_frame(io_context: IoContext, tmp_path: Path) -> None:
    folder = io_context.fresh_uri("parts")
    for part in range(2):
        DataFrame.from_local_sync(WIDE.slice(part * 10, 10), remote_destination=f"{folder}/{part}.parquet")
    frame = DataFrame.from_existing_remote(f"{folder}/")
    assert frame.open(pa.Table).all_sync().equals(WIDE.slice(0, 20))
    assert frame.inspect_sync().num_rows == 20
    with pytest.raises(ValueError, match="folder of 2 files; row_groups are those of one file"):
        frame.open(pa.Table, row_groups=[0]).all_sync()


def test_a_frame_that_is_not_written_yet_can_be_read() -> None:
    frame = DataFrame.wrap_df(pd.DataFrame({"a": [1], "b": [2]}, index=["i"]))
    assert frame.uri is None
    assert frame.open(pd.DataFrame, columns=["b"]).all_sync().to_dict() == {"b": {"i": 2}}
    assert frame.inspect_sync().num_rows == 1


def test_what_is_no_frame_is_refused() -> None:
    known = "pandas.DataFrame, polars.DataFrame, polars.LazyFrame, pyarrow.Table, pyarrow.RecordBatch"
    with pytest.raises(TypeError, match=f"builtins.list is not one of {known}"):
        DataFrame.wrap_df([1])
    with pytest.raises(TypeError, match=f"builtins.dict is not one of {known}"):
        DataFrame(uri="x.parquet").open(dict)
    with pytest.raises(ValueError, match="a DataFrame without a uri names no frame"):
        DataFrame().open(pa.Table).all_sync()


def test_polars_frames_keep_their_types(io_context: IoContext) -> None:
    frame = pl.DataFrame(
        {
            "level": pl.Series(["low", None], dtype=pl.Enum(["low", "high"])),
            "kind": pl.Series(["a", "b"], dtype=pl.Categorical),
            "pair": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int8, 2)),
            "point": [{"x": 1}, None],
        }
    )
    written = DataFrame.from_local_sync(frame)
    assert written.open(pl.DataFrame).all_sync().equals(frame)
    lazy = written.open(pl.LazyFrame).all_sync()
    assert lazy.filter(pl.col("kind") == "b").collect().height == 1
    assert DataFrame.from_local_sync(lazy.select("point")).num_rows == 2


def test_a_reference_is_pickled_without_its_frame(io_context: IoContext) -> None:
    big = pd.DataFrame({"x": range(ROWS)})
    frame = DataFrame.wrap_df(big)
    assert frame != DataFrame.wrap_df(big.copy())
    data = pickle.dumps({"frame": frame})
    assert len(data) < 1_000
    pd.testing.assert_frame_equal(pickle.loads(data)["frame"].open(pd.DataFrame).all_sync(), big)
    assert frame == DataFrame.from_local_sync(big)


def test_columns_of_any_name_can_be_selected(io_context: IoContext) -> None:
    table = pa.table({"a.b": [1], "a": [{"b": 2}], "größe, [m]": [3], "": [4]})
    frame = DataFrame.from_local_sync(table)
    for name in table.column_names:
        assert frame.open(pa.Table, columns=[name]).all_sync().equals(table.select([name]))
        assert next(frame.open(pa.Table, columns=[name]).iter_sync()).equals(table.select([name]))
