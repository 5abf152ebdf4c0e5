"""pandas frames come back with index, names and dtypes, and the same hash."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from upwell._types.frames import frame_files, frame_reading
from upwell._types.frames.frame_digest import table_digest
from upwell._types.frames.frame_kinds import UnwritableFrameError, table_of


def series(*values: Any, dtype: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": pd.Series(values, dtype=dtype)})


def on_index(index: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": range(len(index))}, index=index)


def with_names(names: Any) -> pd.DataFrame:
    return pd.DataFrame(np.eye(len(names)), columns=names)


LETTERS = pd.CategoricalDtype(["z", "b", "a"], ordered=True)
DAYS = pd.date_range("2020", periods=2, freq="D")
PAIRS = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", None])
CUT = pd.cut([1, 2, 3], 2)

FRAMES: dict[str, Callable[[], pd.DataFrame]] = {
    "ordered categories, one of them unused": lambda: series("a", None, "b", dtype=LETTERS),
    "categories of numbers": lambda: series(3, None, dtype=pd.CategoricalDtype([9, 3])),
    "categories of instants": lambda: pd.DataFrame(
        {"a": pd.Categorical(pd.to_datetime(["2020-01-02", "2020-01-01"]))}
    ),
    "categories of intervals": lambda: pd.DataFrame({"a": pd.cut([1, 2, np.nan], 2)}),
    "no rows of categories": lambda: series(dtype=LETTERS),
    "zoned instants": lambda: pd.DataFrame({"a": DAYS.tz_localize("Europe/Berlin")}),
    "instants in seconds": lambda: pd.DataFrame({"a": DAYS.astype("datetime64[s]")}),
    "durations": lambda: pd.DataFrame({"a": pd.to_timedelta([1, None], unit="s")}),
    "nullable integers": lambda: series(1, None, dtype="Int8"),
    "nullable truths": lambda: series(True, None, dtype="boolean"),
    "nullable numbers": lambda: series(1.5, None, dtype="Float32"),
    "text": lambda: pd.DataFrame({"a": ["x", None]}),
    "text as objects": lambda: series("x", None, dtype=object),
    "numbers as objects": lambda: series(1, None, dtype=object),
    "lists": lambda: series([1, 2], [], None, dtype=object),
    "days, times, decimals, bytes": lambda: pd.DataFrame(
        {"d": [dt.date(2020, 1, 1)], "t": [dt.time(1, 2)], "n": [Decimal("1.10")], "b": [b"x"]}
    ),
    "Arrow's own dtypes": lambda: series([1], None, dtype=pd.ArrowDtype(pa.list_(pa.int32()))),
    "periods": lambda: pd.DataFrame({"a": pd.period_range("2020", periods=2, freq="M")}),
    "small and large numbers": lambda: series(1, 2**63 + 1, dtype="uint64").assign(b=np.float16(0.5)),
    "nothing": pd.DataFrame,
    "no columns": lambda: pd.DataFrame(index=[1, 2]),
    "no rows": lambda: series(dtype="int8"),
    "a range as index": lambda: on_index(pd.RangeIndex(5, 9, 2, name="r")),
    "days as index": lambda: on_index(DAYS),
    "text as index, named as a column is": lambda: on_index(pd.Index(["x", "y"], name="a")),
    "an index of two levels": lambda: on_index(PAIRS),
    "categories as index": lambda: on_index(pd.CategoricalIndex(["z", "a"], dtype=LETTERS)),
    "groups of intervals": lambda: on_index(range(3)).groupby(CUT, observed=False).sum(),
    "groups of text and intervals": lambda: (
        on_index(range(3)).groupby([["x", "y", "x"], CUT], observed=False).sum()
    ),
    "names of two levels": lambda: with_names(PAIRS),
    "numbers as names": lambda: with_names([3, 1]),
    "days as names": lambda: with_names(pd.DatetimeIndex(["2020-01-01", "2020-01-03"])),
    "categories as names": lambda: with_names(pd.CategoricalIndex(["z", "a"], dtype=LETTERS)),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_comes_back_as_it_was(name: str) -> None:
    frame = FRAMES[name]()
    reference = frame_files.inlined(frame)
    returned = frame_reading.read(reference, pd.DataFrame)
    pd.testing.assert_frame_equal(returned, frame)
    pd.testing.assert_frame_equal(FRAMES[name](), frame)  # it was not touched
    assert table_digest(table_of(returned)) == reference.digest


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), r"Duplicate column names found: \['a', 'a'\]"),
        (pd.DataFrame([[1, 2]], columns=["a", 1]), "names of several types, int and str; make all of them str"),
        (series(1, "x", dtype=object), "column a with type object"),
        (series(1j, dtype=complex), "column a with type complex128"),
        (series({1}, dtype=object), "column 'a' holds sets"),
    ],
)
def test_what_parquet_cannot_hold_is_refused_with_the_column(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(UnwritableFrameError, match=message):
        frame_files.inlined(frame)


def test_a_frame_that_was_read_can_be_changed_in_place() -> None:
    for columns in ({"a": [1.0, 2.0]}, {"a": [1.0, 2.0], "b": [1.0, 2.0]}):
        frame = frame_reading.read(frame_files.inlined(pd.DataFrame(columns)), pd.DataFrame)
        frame.loc[0, "a"] = 9
        frame["a"] += 1
        assert frame["a"].tolist() == [10, 3]
