"""Frames as values of tasks: by the annotation, whatever library they came from."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pyarrow as pa
import pytest
from pydantic import BaseModel, ConfigDict

from upwell._types.interface import Interface
from upwell._types.io_context import IoContext
from upwell.errors import RuntimeDataValidationError
from upwell.io import DataFrame, HashFunction

BIG = pd.DataFrame({"x": range(10_000)})


@dataclass
class Holder:
    frame: pd.DataFrame
    table: pa.Table | None = None


class Model(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    frame: pd.DataFrame
    reference: DataFrame


def passed(value: Any, sent_as: Any, received_as: Any) -> Any:
    """Return a value as a task annotated in one way gets it from one annotated in another."""

    def give() -> Any: ...
    def take() -> Any: ...

    give.__annotations__, take.__annotations__ = {"return": sent_as}, {"return": received_as}
    return Interface.of(take).decode_output(Interface.of(give).encode_output(value))


def digest_of(value: Any, annotation: Any = pd.DataFrame) -> str:
    def take(value: Any) -> None: ...

    take.__annotations__ = {"value": annotation, "return": None}
    interface = Interface.of(take)
    return interface.input_digest(interface.encode_inputs(interface.bind((value,), {})))


def stored(context: IoContext) -> list[Path]:
    return sorted(Path(context.raw_data_prefix).rglob("*.parquet"))


def test_a_frame_comes_back_as_the_receivers_annotation_says(io_context: IoContext) -> None:
    table = passed(BIG, pd.DataFrame, pa.Table)
    assert isinstance(table, pa.Table)
    pd.testing.assert_frame_equal(passed(table, pa.Table, pd.DataFrame), BIG)
    assert passed(BIG, pd.DataFrame, pa.RecordBatch).num_rows == len(BIG)
    reference = passed(BIG, pd.DataFrame, DataFrame)
    assert reference.columns == {"x": "int64"}
    assert reference.num_rows == len(BIG)
    pd.testing.assert_frame_equal(passed(reference, DataFrame, pd.DataFrame), BIG)


def test_a_small_frame_is_in_the_value_and_a_large_one_is_stored_once(local_io: IoContext) -> None:
    passed(BIG.head(3), pd.DataFrame, pd.DataFrame)
    assert stored(local_io) == []
    for _ in range(2):
        passed(BIG, pd.DataFrame, pd.DataFrame)
    passed(BIG, DataFrame, DataFrame)
    assert len(stored(local_io)) == 1


def test_frames_are_found_in_structures(io_context: IoContext) -> None:
    holder = passed(Holder(BIG, pa.table({"a": [1]})), Holder, Holder)
    pd.testing.assert_frame_equal(holder.frame, BIG)
    assert holder.table.to_pydict() == {"a": [1]}
    model = passed(Model(frame=BIG, reference=DataFrame.from_df(BIG)), Model, Model)
    pd.testing.assert_frame_equal(model.frame, BIG)
    assert model.reference.uri.endswith(".parquet")
    many = list[pd.DataFrame | None]
    pd.testing.assert_frame_equal(passed([None, BIG], many, many)[1], BIG)
    either = pd.DataFrame | dict[str, int]
    pd.testing.assert_frame_equal(passed(BIG, either, either), BIG)
    assert passed({"a": 1}, either, either) == {"a": 1}


def test_frames_count_by_content(local_io: IoContext) -> None:
    changed = BIG.copy()
    changed.loc[5, "x"] = -1
    assert digest_of(BIG) == digest_of(BIG.copy()) == digest_of(DataFrame.from_df(BIG))
    assert digest_of(BIG) != digest_of(changed)
    assert digest_of(BIG) != digest_of(BIG.rename(columns={"x": "y"}))


def test_a_hash_function_on_a_return_type_holds_for_the_consumer(local_io: IoContext) -> None:
    rows = HashFunction.from_fn(lambda frame: f"{len(frame)} rows")
    hashed = Annotated[pd.DataFrame, rows]
    first, second = passed(BIG, hashed, hashed), passed(BIG * 2, hashed, hashed)
    assert digest_of(first) == digest_of(second) != digest_of(BIG)
    assert digest_of(first) == digest_of(first, DataFrame) == digest_of(DataFrame.from_df(first))
    assert digest_of(first.head(5)) != digest_of(second.head(5)), "a frame made of it is not it"
    first.loc[len(first)] = 0
    assert digest_of(first) != digest_of(second), "the function sees the frame as it is now"


def test_two_columns_of_one_name_are_refused(local_io: IoContext) -> None:
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(RuntimeDataValidationError, match=r"Duplicate column names found: \['a', 'a'\]"):
        passed(twice, pd.DataFrame, pd.DataFrame)
    table = pa.table([[1], [2]], names=["b", "b"])
    with pytest.raises(RuntimeDataValidationError, match="several columns named 'b'"):
        passed(table, pa.Table, pa.Table)


def test_without_pyarrow_the_error_says_what_to_install(
    local_io: IoContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = DataFrame.from_local_sync(BIG)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for work in (lambda: passed(BIG, pd.DataFrame, pd.DataFrame), encoded.open(pd.DataFrame).all_sync):
        with pytest.raises(
            ModuleNotFoundError, match=r"needs pyarrow; add it to the image .* 'upwell\[pandas\]'"
        ):
            work()


def test_storage_that_fails_is_not_taken_for_a_wrong_value(local_io: IoContext) -> None:
    Path(local_io.raw_data_prefix).write_text("a file where the folder should be")
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        passed(BIG, pd.DataFrame, pd.DataFrame)
    with pytest.raises(ZeroDivisionError):
        passed(BIG, Annotated[pd.DataFrame, HashFunction.from_fn(lambda frame: str(1 / 0))], pd.DataFrame)


def test_a_frame_that_is_gone_is_an_error_that_names_it(io_context: IoContext) -> None:
    gone = DataFrame.from_existing_remote(io_context.fresh_uri("gone.parquet"), format="parquet")
    with pytest.raises(FileNotFoundError, match=r"gone\.parquet"):
        passed(gone, pd.DataFrame, pd.DataFrame)
    with pytest.raises(FileNotFoundError, match=r"gone\.parquet"):
        gone.inspect_sync()
