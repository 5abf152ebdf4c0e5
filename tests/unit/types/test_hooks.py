"""Models whose own validators and serializers run on the way: the value arrives as it was all the same."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pydantic
import pytest
from pydantic import BaseModel, ConfigDict, Field

import upwell.io
from upwell._types.interface import Interface
from upwell.errors import PickledValueWarning


class Lowered(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    name: str
    scores: list[float] = []
    array: np.ndarray | None = None
    secret: str = Field(default="", exclude=True)
    parent: Lowered | None = None

    @pydantic.field_validator("name")
    @classmethod
    def _lower(cls, name: str) -> str:
        return name.lower()


class Hexed(BaseModel):
    data: bytes

    @pydantic.field_validator("data", mode="before")
    @classmethod
    def _from_hex(cls, data: Any) -> Any:
        return bytes.fromhex(data) if isinstance(data, str) else data

    @pydantic.field_serializer("data")
    def _to_hex(self, data: bytes) -> str:
        return data.hex()


class Ranged(BaseModel):
    low: int
    high: int

    @pydantic.model_validator(mode="before")
    @classmethod
    def _from_pair(cls, value: Any) -> Any:
        return {"low": value[0], "high": value[1]} if isinstance(value, list) else value

    @pydantic.model_serializer
    def _to_pair(self) -> list[int]:
        return [self.low, self.high]


class Counting(BaseModel):
    count: int

    @pydantic.field_validator("count")
    @classmethod
    def _next(cls, count: int) -> int:
        return count + 1


class CountingByAnnotation(BaseModel):
    count: Annotated[int, pydantic.AfterValidator(lambda count: count + 1)]


class Shown(BaseModel):
    price: float

    @pydantic.field_serializer("price")
    def _shown(self, price: float) -> str:
        return f"{price:.2f}"


class Described(BaseModel):
    price: float

    @pydantic.model_serializer
    def _described(self) -> dict[str, str]:
        return {"text": f"{self.price}"}


@pydantic.dataclasses.dataclass
class Doubling:
    value: int

    @pydantic.field_validator("value")
    @classmethod
    def _double(cls, value: int) -> int:
        return value * 2


made: list[str] = []


@dataclass
class Split:
    """Its field gets another type than it declares."""

    items: str
    path: str = "a/b"

    def __post_init__(self) -> None:
        self.path = Path(self.path)  # type: ignore[assignment]  # as programs are written
        self.items = self.items.split(",")  # type: ignore[assignment]  # as programs are written


class Identical:
    """Equal to itself alone."""


upwell.io.register(Identical, encode=lambda _: None, decode=lambda _: Identical())


@dataclass
class Kept:
    rate: float
    scores: list[float]
    identical: Identical
    array: np.ndarray
    total: float = field(init=False)

    def __post_init__(self) -> None:
        self.total = self.rate * 2
        made.append("one")


def sent(annotation: Any, value: Any, **options: Any) -> tuple[Any, Any]:
    """Return the JSON of a value and what arrives."""

    def task(x): ...  # type: ignore[no-untyped-def]  # annotated below

    task.__annotations__ = {"x": annotation}
    interface = Interface.of(task, "env.task", **options)
    encoded = interface.encode_inputs({"x": value})
    return json.loads(encoded)["x"], interface.decode_inputs(encoded)["x"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Hexed(data=b"\xff"), {"data": "ff"}),
        (Ranged(low=1, high=2), [1, 2]),
        (Shown(price=1.25), {"price": "1.25"}),
    ],
)
def test_what_a_model_reads_back_travels_as_the_model_writes_it(value: Any, text: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for annotation, wrapped, expected in [(type(value), value, text), (list[type(value)], [value], [text])]:
            assert sent(annotation, wrapped) == (expected, wrapped)


@pytest.mark.parametrize(
    "value",
    [
        Counting(count=1),
        CountingByAnnotation(count=1),
        Shown(price=1.256),
        Described(price=1.5),
        Doubling(2),
        Split("a,b"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_it_would_read_as_another_value_is_pickled(value: Any) -> None:
    for annotation, wrapped in [(type(value), value), (dict[str, type(value)], {"a": value})]:
        with pytest.warns(PickledValueWarning, match=type(value).__name__):
            assert sent(annotation, wrapped)[1] == wrapped
        with pytest.raises(TypeError, match="which is changed by code of its own"):
            sent(annotation, wrapped, refuses_pickle="strict")


def test_a_dataclass_with_code_of_its_own_travels_by_its_fields_where_they_come_back() -> None:
    value = Kept(1, [float("nan")], Identical(), np.ones(2))
    value.total = 9.0
    made.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = sent(Kept, value, refuses_pickle="strict")[1]
    assert (found.rate, str(found.scores), found.total) == (1.0, "[nan]", 9.0)
    assert made == ["one"]  # by the reader alone


def test_nan_and_arrays_are_no_change_and_fields_left_out_of_documents_are_sent() -> None:
    value = Lowered(
        name="Ü",
        scores=[float("nan"), 1.0],
        array=np.ones(2),
        secret="s",
        parent=Lowered(name="P", array=np.eye(2)),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = sent(Lowered, value)[1]
    assert (found.name, found.secret, str(found.scores)) == ("ü", "s", "[nan, 1.0]")
    assert found.parent.array.tolist() == [[1, 0], [0, 1]]
