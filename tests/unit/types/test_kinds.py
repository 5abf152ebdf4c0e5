"""Every kind of type that a task can declare: a value arrives equal, of the same type all the way down."""

from __future__ import annotations

import collections
import collections.abc as cabc
import datetime as dt
import enum
import re
import typing
import uuid
import warnings
import zoneinfo
from dataclasses import KW_ONLY, InitVar, dataclass, field
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, ip_address
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, TypeVar

import numpy as np
import pydantic
import pytest
import typing_extensions
from pydantic import BaseModel, ConfigDict, Field, RootModel, computed_field, field_validator
from tests.strategies import is_same

from upwell._types.interface import Interface

T = TypeVar("T")
Whole = TypeVar("Whole", bound=int)
UserId = NewType("UserId", int)
Ints = typing_extensions.TypeAliasType("Ints", list[int])
ByName = typing_extensions.TypeAliasType("ByName", dict[str, T], type_params=(T,))
Tree = typing_extensions.TypeAliasType("Tree", "int | list[Tree]")


class Colour(enum.Enum):
    RED = "red"
    ROUGE = "red"  # noqa: PIE796  # an alias is the point
    BLUE = "blue"


class Number(enum.IntEnum):
    ONE = 1


class Word(enum.StrEnum):
    A = "a"


class Odd(enum.Enum):
    PAIR = (1, 2)
    NOTHING = None
    HALF = 0.5


class Bits(enum.IntFlag):
    R = 1
    W = 2


@dataclass
class Left:
    x: int


@dataclass
class Right:
    x: int


@dataclass
class Box(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    a: int
    b: tuple[int, ...] = ()


@dataclass
class Base:
    a: int
    _: KW_ONLY
    tags: list[str] = field(default_factory=list)


@dataclass
class Derived(Base):
    b: str = ""


@dataclass
class Computed:
    a: int
    b: int = field(init=False, default=5)
    c: Left = field(init=False)

    def __post_init__(self) -> None:
        self.a *= 2
        self.c = Left(self.a)


@dataclass
class Scaled:
    a: int
    factor: InitVar[int]

    def __post_init__(self, factor: int) -> None:
        self.a *= factor


@dataclass
class Linked:
    value: int
    next: Linked | None = None


@pydantic.dataclasses.dataclass
class Checked:
    a: int
    b: list[int] = field(default_factory=list)


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str = ""


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Owner(BaseModel):
    pet: Pet
    pets: list[Pet] = []


class One(BaseModel):
    n: int = 0


class Other(BaseModel):
    n: int = 0


class Holder(BaseModel, Generic[T]):
    value: T


class Node(BaseModel):
    value: int
    children: list[Node] = []


class Rich(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, arbitrary_types_allowed=True)

    when: dt.datetime
    wait: dt.timedelta
    path: Path
    data: bytes
    array: np.ndarray
    name: str = Field(default="x", alias="theName")

    @field_validator("name")
    @classmethod
    def _lower(cls, name: str) -> str:
        return name.lower()

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know the pair
    @property
    def size(self) -> int:
        return len(self.data)


class Numbers(RootModel[list[int]]):
    pass


class Row(NamedTuple):
    a: int
    b: str = "x"


class Rows(NamedTuple):
    first: Row
    rest: list[Row] = []  # noqa: RUF012  # the default of a field


class Fields(typing.TypedDict):
    a: int
    b: NotRequired[str]
    children: NotRequired[list[Fields]]


class Partial(typing.TypedDict, total=False):
    inner: Fields


def computed() -> Computed:
    value = Computed(1)
    value.b = 7
    value.c = Left(9)
    return value


NOW = dt.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
CASES: list[tuple[Any, Any]] = [
    # collections
    (dict[str, list[tuple[int, set[str]]]], {"a": [(1, {"x"})]}),
    (tuple[int, ...], (1, 2)),
    (tuple[()], ()),
    (tuple, (1, "a")),
    (set[tuple[int, str]], {(1, "a")}),
    (frozenset[frozenset[int]], frozenset({frozenset({1})})),
    (collections.deque[int], collections.deque([1, 2], maxlen=3)),
    (collections.defaultdict[str, list[int]], collections.defaultdict(list, {"a": [1]})),
    (collections.OrderedDict[str, int], collections.OrderedDict(b=1, a=2)),
    (collections.Counter[str], collections.Counter("aab")),
    (cabc.Sequence[Left], [Left(1)]),
    (cabc.Mapping[int, Left], {1: Left(1)}),
    (cabc.Iterable[int], [1]),
    (cabc.Set[int], frozenset({1})),
    (typing.MutableSequence[int], [1]),
    (typing.Sequence, [1]),
    (Ints, [1]),
    (ByName[int], {"a": 1}),
    (Tree, [1, [2, []]]),
    # keys
    (dict[int, str], {1: "x"}),
    (dict[bool, int], {True: 1}),
    (dict[float, int], {1.5: 1, float("inf"): 2}),
    (dict[Odd, int], {Odd.PAIR: 1}),
    (dict[tuple[int, int], int], {(1, 2): 3}),
    (dict[uuid.UUID, int], {uuid.UUID(int=1): 1}),
    (dict[dt.date, int], {dt.date(2024, 1, 1): 1}),
    (dict[Path, int], {Path("a"): 1}),
    (dict[bytes, int], {b"\xff": 1}),
    (dict[int | str, int], {1: 1, "1": 2}),
    (dict[Frozen, int], {Frozen(a=1): 2}),
    # choices
    (bool | int, True),
    (bool | int, 1),
    (int | float, 1),
    (int | float, 1.0),
    (int | str, "5"),
    (str | uuid.UUID, str(uuid.UUID(int=3))),
    (str | uuid.UUID, uuid.UUID(int=3)),
    (dt.datetime | dt.date, dt.date(2024, 1, 1)),
    (Left | Right, Right(1)),
    (list[Left] | list[Right], [Right(1)]),
    (list[Left] | list[Right] | None, None),
    (One | Other, Other(n=1)),
    (Pet, Dog(name="a")),
    (Owner, Owner(pet=Dog(), pets=[Cat(), Dog()])),
    (Word | str, "a"),
    (Word | str, Word.A),
    (Number | int, 1),
    (np.ndarray | list[int], [1]),
    (Literal["a", 1, True, None, b"x"], b"x"),
    (Literal["a", 1, True, None, b"x"], None),
    (Literal[1, True], True),
    # generics
    (Box[int], Box(1)),
    (Box[Left], Box(Left(1))),
    (Holder[list[Left]], Holder[list[Left]](value=[Left(1)])),
    (list[Whole], [3]),
    # structures
    (Frozen, Frozen(a=1, b=(2,))),
    (Derived, Derived(1, "b", tags=["t"])),
    (Computed, computed()),
    (list[Computed], [computed()]),
    (Scaled, Scaled(2, 5)),
    (Linked, Linked(1, Linked(2))),
    (Checked, Checked(1, [2])),
    (Node, Node(value=1, children=[Node(value=2)])),
    (
        Rich,
        Rich(
            when=NOW, wait=dt.timedelta(1), path=Path("a"), data=b"\xff", array=np.ones(2), theName="n", more=1
        ),
    ),
    (Numbers, Numbers([1])),
    (Row, Row(1)),
    (Rows, Rows(Row(1), [Row(2)])),
    (Fields, {"a": 1, "children": [{"a": 2, "b": "x"}]}),
    (Fields, {"a": 1, "other": [1]}),
    (Partial, {}),
    # enums
    (Colour, Colour.ROUGE),
    (list[Number], [Number.ONE]),
    (list[Odd], list(Odd)),
    (Bits, Bits.R | Bits.W),
    (Bits, Bits(0)),
    # leaves
    (PurePosixPath, PurePosixPath("a")),
    (Decimal, Decimal("1E+3")),
    (Decimal, Decimal("NaN")),
    (Fraction, Fraction(1, 3)),
    (complex, complex("nan")),
    (dt.datetime, NOW.astimezone(BERLIN)),
    (dt.datetime, dt.datetime(1880, 1, 1, tzinfo=BERLIN)),
    (dt.time, dt.time(1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2)))),
    (dt.timedelta, dt.timedelta.max),
    (dt.timezone, dt.timezone(dt.timedelta(hours=2), "EET")),
    (zoneinfo.ZoneInfo, BERLIN),
    (bytearray, bytearray(b"\xff")),
    (range, range(1, 9, 2)),
    (re.Pattern[str], re.compile("a.b", re.IGNORECASE)),
    (IPv4Address, ip_address("1.2.3.4")),
    (float, float("nan")),
    (float, -0.0),
    (int, -(10**4000)),
    (str, "\0"),
    (pydantic.HttpUrl, pydantic.HttpUrl("http://a.b/c")),
    (Annotated[int, Field(ge=0), "text"], 3),
    (UserId, UserId(3)),
    ("list[Left]", [Left(1)]),
    (list["Left"], [Left(1)]),
    (None, None),
    (Any, {"a": [1, float("inf"), np.arange(2), {"b": np.float32(1)}]}),
    (object, [1]),
]


def task_of(annotation: Any) -> Any:
    def task(x): ...  # type: ignore[no-untyped-def]  # annotated below

    task.__annotations__ = {"x": annotation, "return": annotation}
    return task


@pytest.mark.parametrize(("annotation", "value"), CASES, ids=lambda part: str(part)[:40])
def test_a_value_arrives_as_it_was_without_a_pickle(annotation: Any, value: Any) -> None:
    task = task_of(annotation)
    interface = Interface.of(task, refuses_pickle="strict")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoded = interface.encode_inputs(interface.bind((value,), {}))
        found = interface.decode_inputs(encoded)["x"]
        assert is_same(found, value), found
        assert is_same(interface.decode_output(interface.encode_output(value)), value)
        again = interface.encode_inputs({"x": found})
    assert interface.input_digest(again) == interface.input_digest(encoded)


def test_what_a_post_init_sets_besides_fields_is_there_again() -> None:
    found = Interface.of(with_more := task_of(WithMore)).decode_inputs(b'{"x":{"names":["b","a"]}}')["x"]
    assert (found.names, found.first) == (["b", "a"], "a")
    assert with_more is not None


@dataclass
class WithMore:
    names: list[str]

    def __post_init__(self) -> None:
        self.names = sorted(self.names)
        self.first = self.names[0]


def test_abstract_types_arrive_as_the_plain_ones() -> None:
    for annotation, value, expected in [
        (cabc.Sequence[int], (1, 2), [1, 2]),
        (cabc.Iterable[int], (n for n in (1, 2)), [1, 2]),
        (cabc.Mapping[str, int], collections.OrderedDict(a=1), {"a": 1}),
        (typing.AbstractSet[int], {1}, frozenset({1})),
    ]:
        task = task_of(annotation)
        interface = Interface.of(task)
        assert is_same(interface.decode_inputs(interface.encode_inputs({"x": value}))["x"], expected)
