"""Frames of several libraries between tasks: small ones by value, large ones by reference, none pickled."""

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import pandas as pd
import polars as pl
import pyarrow as pa
from scenario import ANYTHING, Observed, Scenario, in_folder, note

import upwell
from upwell.io import DataFrame, HashFunction

env = upwell.TaskEnvironment("case-data-frames")
ROWS = 20_000


class Split(NamedTuple):
    train: DataFrame
    test: DataFrame


@dataclass
class Report:
    title: str
    by_city: pd.DataFrame
    raw: pa.Table | None = None


def content(frame: pd.DataFrame) -> str:
    return str(pd.util.hash_pandas_object(frame).sum())


@env.task
async def people() -> Annotated[pd.DataFrame, HashFunction.from_fn(content)]:
    ages = pd.array([34, None, 27], dtype="Int16")
    return pd.DataFrame({"name": ["Ada", None, "Bo"], "age": ages}, index=pd.Index([3, 5, 8], name="id"))


@env.task(cache=upwell.Cache("auto", version_override="v1"))
async def count(folder: str, frame: pd.DataFrame) -> int:
    note(folder, "counted")
    return len(frame)


@env.task
async def split(rows: int) -> Split:
    frame = pd.DataFrame({"number": range(rows), "half": [n / 2 for n in range(rows)]})
    return Split(
        DataFrame.from_df(frame.iloc[: rows // 2]), await DataFrame.from_local(frame.iloc[rows // 2 :])
    )


@env.task
async def total(part: pd.DataFrame) -> int:
    return int(part["number"].sum())


@env.task
def as_arrow(part: pa.Table) -> pd.DataFrame:
    return part.slice(0, 2)  # what the annotation says is what the caller gets


@env.task
def doubled(part: pd.DataFrame) -> pd.DataFrame:
    return part * 2


@env.task
async def lengths(part: DataFrame) -> int:
    return len(await traced(await part.open(pl.DataFrame).all()))


@upwell.trace
async def traced(part: pl.DataFrame) -> pl.DataFrame:
    assert isinstance(part, pl.DataFrame)
    return part


@env.task
async def mapped(rows: int) -> list[int]:
    parts = [pd.DataFrame({"n": range(size)}) for size in (1, rows, rows + 1)]
    twice = await upwell.map(doubled, parts, batch=3)
    assert twice[2]["n"].max() == 2 * rows
    return await upwell.map(lengths, twice, batch=2)


@env.task
async def report(split: Split, frames: dict[str, pd.DataFrame]) -> Report:
    assert split.train.num_rows == ROWS // 2
    assert split.test.columns == {"number": "int64", "half": "double"}
    test = await split.test.open(pa.Table).all()
    by_city = pd.DataFrame({"city": pd.Categorical(["Rome", "Oslo"], categories=["Oslo", "Rome"])})
    return Report(",".join(frames), by_city, test.slice(0, 1))


@env.task
async def main(folder: str) -> tuple[pd.DataFrame, int, int, pd.DataFrame, Report]:
    assert await mapped(ROWS) == [1, ROWS, ROWS + 1]
    frame = await people()
    counted = await count(folder, frame) + await count(folder, await people())
    parts = await split(ROWS)
    summed = await total(parts.train) + await total(await parts.test.open(pd.DataFrame).all())
    first = await as_arrow.aio(parts.test)
    return frame, counted, summed, first, await report(parts, {"people": frame, "empty": pd.DataFrame()})


def check(observed: Observed) -> None:
    frame, counted, summed, first, made = observed.value
    ages = pd.array([34, None, 27], dtype="Int16")
    expected = pd.DataFrame({"name": ["Ada", None, "Bo"], "age": ages}, index=pd.Index([3, 5, 8], name="id"))
    pd.testing.assert_frame_equal(frame, expected)
    assert (counted, summed) == (6, sum(range(ROWS)))
    assert observed.notes == ["counted"]  # the content is the key
    assert first["number"].tolist() == [ROWS // 2, ROWS // 2 + 1]
    assert made.title == "people,empty"
    assert made.by_city["city"].cat.categories.tolist() == ["Oslo", "Rome"]
    assert made.raw.num_rows == 1


SCENARIO = Scenario(main, in_folder, value=ANYTHING, check=check)
