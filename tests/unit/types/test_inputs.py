"""What a task accepts, and what it says of the rest."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import typing
from collections import deque
from collections.abc import Sequence
from typing import Any, Literal, Protocol

import pytest
from pydantic import BaseModel, Field, SecretStr

from upwell._types.interface import Interface
from upwell.errors import PickledValueWarning


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"


@dataclasses.dataclass
class Point:
    x: float
    color: Color = Color.RED


@dataclasses.dataclass
class Labelled(Point):
    label: str = ""


@dataclasses.dataclass
class Doubling:
    value: int

    def __post_init__(self) -> None:
        self.value *= 2


@dataclasses.dataclass
class Event:
    at: dt.datetime


class Config(BaseModel):
    depth: int = 1
    point: Point | None = None


class Strict(BaseModel):
    name: str = Field(alias="theName")
    token: SecretStr = SecretStr("")


def passed(annotation: Any, value: Any) -> Any:
    """Return what a task with one parameter of this type gets for a value."""

    def task(x): ...  # type: ignore[no-untyped-def]  # annotated below

    task.__annotations__ = {"x": annotation}
    interface = Interface.of(task, "env.task")
    return interface.decode_inputs(interface.encode_inputs(interface.bind((value,), {})))["x"]


@pytest.mark.parametrize(
    ("annotation", "value", "text"),
    [
        (int, "3", "expects int, got str '3'"),
        (int, True, "expects int, got bool True"),
        (float, "1.5", "expects float, got str '1.5'"),
        (str, 3, "expects str, got int 3"),
        (str, None, "expects str, got NoneType None"),
        (list[int], (1, 2), "expects list"),
        (Sequence[int], ["1"], "at 0: Input should be a valid integer"),
        (deque[int], deque(["1"]), "at 0: Input should be a valid integer"),
        (
            list[int],
            [1, "2"],
            r"expects list\[int\], got list \[1, '2'\] \(at 1: Input should be a valid integer",
        ),
        (dict[str, int], {"a": "b"}, "at a: "),
        (dt.datetime, "2024-01-01", "expects datetime, got str"),
        (Literal["low", "high"], "middle", r"expects Literal\['low', 'high'\], got str 'middle'"),
        (Color, "blue", "expects Color, got str 'blue'"),
        (Point, {"x": "a"}, "at x: "),
        (Point, Point(x="a"), "at x: "),  # type: ignore[arg-type]  # the wrong type is the point
        (Config, {"depth": "deep"}, "at depth: "),
        (Config, 3, "expects Config, got int 3"),
    ],
)
def test_a_wrong_type_is_a_type_error_that_names_task_and_parameter(
    annotation: Any, value: Any, text: str
) -> None:
    with pytest.raises(TypeError, match=f"task 'env.task': parameter 'x' .*{text}"):
        passed(annotation, value)


def test_an_int_is_a_float() -> None:
    assert isinstance(passed(float, 3), float)


def test_a_dict_becomes_the_declared_model_or_dataclass() -> None:
    assert passed(Point, {"x": 1}) == Point(1.0)
    assert passed(list[Config], [{"depth": 2, "point": {"x": 1, "color": "green"}}]) == [
        Config(depth=2, point=Point(1.0, Color.GREEN))
    ]


def test_naive_datetimes_are_utc_but_those_in_structures_stay() -> None:
    naive = dt.datetime(2024, 1, 1, 12)
    aware = naive.replace(tzinfo=dt.UTC)
    assert passed(dt.datetime, naive) == aware
    assert passed(list[dt.datetime | None], [naive, None]) == [aware, None]
    assert passed(Event, Event(naive)) == Event(naive)


def test_an_optional_default_needs_no_optional_annotation() -> None:
    def task(x: int = None) -> None: ...  # type: ignore[assignment]  # noqa: RUF013  # programs are written like that

    interface = Interface.of(task)
    assert interface.decode_inputs(interface.encode_inputs(interface.bind((), {}))) == {"x": None}


def test_a_literal_that_mixes_enum_members_takes_all_values_of_their_types() -> None:
    mixed = Literal[Color.RED, "auto", 1]
    assert passed(mixed, Color.GREEN) is Color.GREEN
    assert passed(mixed, "red") == "red"
    assert passed(mixed, 1) == 1


def test_members_of_unions_are_told_apart() -> None:
    class Cat(BaseModel):
        name: str

    class Dog(BaseModel):
        name: str

    assert type(passed(Cat | Dog, Dog(name="a"))) is Dog
    assert passed(int | str, "5") == "5"
    assert passed(dt.date | str, "2024-01-01") == "2024-01-01"
    assert passed(Point | dict[str, int], {"y": 1}) == {"y": 1}


def test_a_subclass_of_a_declared_class_keeps_its_fields() -> None:
    with pytest.warns(PickledValueWarning, match="Labelled"):
        assert passed(Point, Labelled(1.0, label="a")) == Labelled(1.0, label="a")


def test_a_model_with_aliases_and_secrets_comes_back() -> None:
    with pytest.warns(PickledValueWarning, match="SecretStr"):
        found = passed(Strict, Strict(theName="a", token=SecretStr("s3cret")))
    assert (found.name, found.token.get_secret_value()) == ("a", "s3cret")


def test_encoding_does_not_run_a_post_init_again() -> None:
    def task(x: Doubling) -> None: ...

    interface = Interface.of(task)
    assert json.loads(interface.encode_inputs({"x": Doubling(2)})) == {"x": {"value": 4}}


def test_encoded_inputs_are_json_with_one_member_per_parameter() -> None:
    def task(a: float, b: bytes, c: dict[int, str], d: Color) -> None: ...

    encoded = Interface.of(task).encode_inputs({"a": float("nan"), "b": b"\xff", "c": {1: "x"}, "d": Color.RED})
    assert json.loads(encoded) == {"a": "NaN", "b": "_w==", "c": {"1": "x"}, "d": "red"}


@pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning")
def test_items_of_abstract_sequences_may_be_anything() -> None:
    assert passed(Sequence[Any], [b"raw", {1: 2}, "a"]) == [b"raw", {1: 2}, "a"]
    assert passed(deque[Any], deque([(1, 2)])) == deque([(1, 2)])


def test_generics_protocols_and_typed_dicts_of_typing_are_accepted() -> None:
    T = typing.TypeVar("T")

    class Box(BaseModel, typing.Generic[T]):
        value: T

    class Sized(Protocol):
        size: int

    class Fields(typing.TypedDict):
        inner: typing.NotRequired[Point]

    class Row(typing.NamedTuple):
        fields: Fields
        data: bytes = b""

    assert passed(Box[bytes], Box[bytes](value=b"\xff")).value == b"\xff"
    assert passed(Row, Row({"inner": Point(1.0)}, b"\xfe")) == Row({"inner": Point(1.0)}, b"\xfe")
    with pytest.warns(PickledValueWarning):
        assert passed(Sized, slice(3)) == slice(3)


def test_an_annotation_that_cannot_be_used_is_named() -> None:
    def task(x: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821  # the case at hand

    with pytest.raises(
        TypeError, match=r"name 'Missing' is not defined: it is used in an annotation of .*task"
    ):
        Interface.of(task).encode_inputs({"x": 1})


def test_annotations_may_name_local_classes_and_classes_defined_later() -> None:
    class Local(BaseModel):
        value: int

    def task(x: Local, y: Later) -> None: ...

    interface = Interface.of(task)
    with pytest.warns(PickledValueWarning):
        encoded = interface.encode_inputs({"x": Local(value=1), "y": Later()})
    assert interface.decode_inputs(encoded)["x"] == Local(value=1)


class Later:
    pass
