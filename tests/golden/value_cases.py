"""Types and values whose encoded forms are held by files: what was written once is read for ever."""

from __future__ import annotations

import collections
import datetime as dt
import enum
import re
import typing
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import BaseModel, Field

import upwell.io
from upwell.io import DataFrame, File


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"


class Odd(enum.Enum):
    PAIR = (1, 2)


class Permission(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass
class Point:
    x: int
    label: str = "none"
    tags: list[str] = field(default_factory=list)


@dataclass
class Size:
    x: int


@dataclass
class Doubled:
    value: int

    def __post_init__(self) -> None:
        self.value *= 2


class Model(BaseModel):
    name: str = Field(alias="theName")
    points: list[Point] = []
    seen: dt.datetime | None = None


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"


class Node(BaseModel):
    value: int
    children: list[Node] = []


@dataclass
class Money:
    cents: int


upwell.io.register(Money, encode=lambda money: money.cents, decode=Money)


class Row(typing.NamedTuple):
    number: int
    name: str = "x"


class Fields(typing.TypedDict):
    a: int
    b: typing.NotRequired[str]


FRAME = pd.DataFrame(
    {
        "kind": pd.Categorical(["b", None], categories=["z", "b"], ordered=True),
        "count": pd.array([1, None], dtype="Int16"),
        "at": pd.to_datetime(["2024-01-02", None], utc=True).astype("datetime64[s, UTC]"),
        "any": np.array(["x", None], dtype=object),
    },
    index=pd.Index(["i", "j"], name="key"),
)
MOMENT = dt.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)

CASES: dict[str, tuple[Any, Any]] = {
    "int": (int, 12345678901234567890),
    "float": (list[float], [0.1, -0.0, float("inf"), 1e300]),
    "text": (str, 'ü\n"'),
    "bytes": (bytes, b"\x00\xff\xfe"),
    "none": (None, None),
    "nested": (dict[str, list[tuple[int, str]]], {"a": [(1, "x")]}),
    "set": (set[str], {"b", "a"}),
    "deque": (collections.deque[int], collections.deque([1, 2])),
    "dict_of_int_keys": (dict[int, str], {1: "x"}),
    "dict_of_tuple_keys": (dict[tuple[int, int], str], {(1, 2): "x"}),
    "dict_of_enum_keys": (dict[Color, int], {Color.RED: 1}),
    "counter": (collections.Counter[str], collections.Counter("aab")),
    "ordered_dict": (collections.OrderedDict[str, int], collections.OrderedDict(b=1, a=2)),
    "enum": (Color, Color.GREEN),
    "enum_by_name": (Odd, Odd.PAIR),
    "flag": (Permission, Permission.READ | Permission.WRITE),
    "literal": (Literal["low", 1, None], "low"),
    "literal_of_enum": (Literal[Color.RED, "auto"], Color.GREEN),
    "path": (Path, Path("a/b")),
    "uuid": (uuid.UUID, uuid.UUID(int=7)),
    "decimal": (Decimal, Decimal("1.10")),
    "complex": (complex, 1 - 2j),
    "date": (dt.date, dt.date(2024, 2, 29)),
    "time": (dt.time, dt.time(1, 2, 3, 4)),
    "datetime": (dt.datetime, MOMENT),
    "timedelta": (dt.timedelta, dt.timedelta(days=-1, microseconds=1)),
    "pattern": (re.Pattern[str], re.compile("a.b")),
    "dataclass": (Point, Point(1, tags=["t"])),
    "dataclass_with_post_init": (Doubled, Doubled(2)),
    "model": (Model, Model(theName="m", points=[Point(2)], seen=MOMENT)),
    "recursive_model": (Node, Node(value=1, children=[Node(value=2)])),
    "named_tuple": (Row, Row(1)),
    "typed_dict": (Fields, {"a": 1}),
    "union_told_apart": (int | str | list[int], "5"),
    "union_with_tag": (Point | Size, Size(3)),
    "union_of_lists": (list[int] | list[str], ["a"]),
    "union_with_discriminator": (Annotated[Cat | Dog, Field(discriminator="kind")], Dog()),
    "optional": (Point | None, None),
    "untyped_json": (Any, {"a": [1, 2.5, None, {"b": True}]}),
    "untyped_pickled": (Any, (1, {"a"})),
    "file": (File, File(path="s3://b/k.txt", format="txt", hash="abc")),
    "frame": (pd.DataFrame, FRAME),
    "frames_of_arrow": (list[pa.Table], [pa.table({"a": [1, None], "b": [["x"], []]})]),
    "frame_reference": (
        DataFrame,
        DataFrame(
            uri="s3://b/k.parquet",
            format="parquet",
            digest="d",
            columns={"a": "int64"},
            num_rows=7,
            hash="mine",
        ),
    ),
    "array_pickled": (np.ndarray, np.arange(6, dtype="<i4").reshape(2, 3)),
    "numpy_number_pickled": (np.float32, np.float32(1.5)),
    "array": (np.ndarray, np.arange(6, dtype="<i4").reshape(2, 3)),
    "array_in_fortran_order": (np.ndarray, np.asfortranarray(np.eye(2, dtype="<f4"))),
    "array_of_records": (np.ndarray, np.array([(1, b"a")], dtype=[("n", "<i2"), ("s", "S1")])),
    "numpy_number": (np.float32, np.float32(1.5)),
    "numpy_instant": (np.datetime64, np.datetime64("2024-01-02")),
    "untyped_tree": (Any, {"a": [float("nan"), np.int8(3)]}),
    "registered": (list[Money], [Money(5)]),
    "bytearray": (bytearray, bytearray(b"\xff")),
    "timezone": (dt.timezone, dt.timezone(dt.timedelta(hours=2))),
    "pattern_with_flags": (re.Pattern[str], re.compile("a.b", re.IGNORECASE)),
}
WRITTEN_OTHERWISE = {"array_pickled", "numpy_number_pickled", "file", "frame", "frames_of_arrow"}
"""Their types have a form now, or more fields; parquet files tell the version of their writer."""
