"""Structures that change between a value's writing and its reading: an older run, a recovery with new code."""

from __future__ import annotations

import typing
from dataclasses import dataclass, field
from typing import Any, NotRequired

import pydantic
import pytest
from pydantic import BaseModel, ConfigDict
from tests.strategies import is_same

from upwell._types.interface import Interface


@dataclass
class DataOld:
    a: int
    gone: str = "x"


@dataclass
class DataNew:
    a: int
    extra: str | None = None
    more: list[int] = field(default_factory=list)


@dataclass
class RestoredNew:
    a: int
    more: list[int] = field(default_factory=lambda: [1])
    total: int = field(init=False)

    def __post_init__(self) -> None:
        self.total = self.a + sum(self.more)


@dataclass
class DataStricter:
    a: int
    needed: str


@pydantic.dataclasses.dataclass
class CheckedNew:
    a: int
    more: list[int] = pydantic.Field(default_factory=list)


class ModelOld(BaseModel):
    a: int
    gone: str = "x"


class ModelNew(BaseModel):
    a: int
    extra: str | None = None
    more: dict[str, int] = {}


class ModelRenamed(BaseModel):
    a: int
    kept: str = pydantic.Field(default="", validation_alias=pydantic.AliasChoices("kept", "gone"))


class ModelForbids(BaseModel):
    model_config = ConfigDict(extra="forbid")

    a: int


class ModelStricter(BaseModel):
    a: int
    needed: str


class KeysOld(typing.TypedDict):
    a: int
    gone: str


class KeysNew(typing.TypedDict):
    a: int
    extra: NotRequired[str]


class RowOld(typing.NamedTuple):
    a: int


class RowNew(typing.NamedTuple):
    a: int
    extra: str | None = None


class RowShorter(typing.NamedTuple):
    pass


def task_of(annotation: Any) -> Any:
    def task(x): ...  # type: ignore[no-untyped-def]  # annotated below

    task.__annotations__ = {"x": annotation, "return": annotation}
    return task


CASES: list[tuple[Any, Any, Any, Any]] = [
    (DataOld, DataOld(1), DataNew, DataNew(1)),
    (DataOld, DataOld(1), RestoredNew, RestoredNew(1)),
    (DataOld, DataOld(1), CheckedNew, CheckedNew(1)),
    (DataOld, DataOld(1), ModelNew, ModelNew(a=1)),
    (ModelOld, ModelOld(a=1), ModelNew, ModelNew(a=1)),
    (ModelOld, ModelOld(a=1), DataNew, DataNew(1)),
    (KeysOld, {"a": 1, "gone": "x"}, KeysNew, {"a": 1, "gone": "x"}),
    (RowOld, RowOld(1), RowNew, RowNew(1)),
    (int, 1, int | None, 1),
    (int, 1, float, 1.0),
    (list[int], [1], list[int | str], [1]),
]


@pytest.mark.parametrize("place", ["alone", "list", "dict"])
@pytest.mark.parametrize(("old", "value", "new", "expected"), CASES)
def test_what_was_written_for_the_old_type_is_read_for_the_new_one(
    place: str, old: Any, value: Any, new: Any, expected: Any
) -> None:
    before, after = (task_of(types_in(place, kind)) for kind in (old, new))
    inputs = Interface.of(before).encode_inputs({"x": values_in(place, value)})
    assert is_same(Interface.of(after).decode_inputs(inputs)["x"], values_in(place, expected))
    output = Interface.of(before).encode_output(values_in(place, value))
    assert is_same(Interface.of(after).decode_output(output), values_in(place, expected))


def types_in(place: str, kind: Any) -> Any:
    return {"alone": kind, "list": list[kind], "dict": dict[str, kind | None]}[place]


def values_in(place: str, value: Any) -> Any:
    return {"alone": value, "list": [value], "dict": {"k": value}}[place]


@pytest.mark.parametrize(
    ("old", "value", "new", "text"),
    [
        (DataOld, DataOld(1), DataStricter, "at needed: Field required"),
        (ModelOld, ModelOld(a=1), ModelStricter, "at needed: Field required"),
        (ModelOld, ModelOld(a=1), ModelForbids, "at gone: Extra inputs are not permitted"),
        (RowOld, RowOld(1), RowShorter, "NamedTuple should have at most 0 items"),
        (int, 1, str, "Input should be a valid string"),
    ],
)
def test_what_cannot_be_read_for_the_new_type_is_named(old: Any, value: Any, new: Any, text: str) -> None:
    before, after = task_of(old), task_of(new)
    inputs = Interface.of(before).encode_inputs({"x": value})
    with pytest.raises(TypeError, match=f"task 'env.task': parameter 'x' cannot be read back: {text}"):
        Interface.of(after, "env.task").decode_inputs(inputs)
