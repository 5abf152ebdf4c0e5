"""Hypothesis strategies: types that tasks declare, with values of them."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import datetime
import decimal
import enum
import typing
import uuid
from datetime import UTC, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import typing_extensions
from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import upwell.io


class Color(enum.Enum):
    """Values that JSON holds."""

    RED = "red"
    GREEN = "green"


class Odd(enum.Enum):
    """Values that JSON does not hold."""

    PAIR = (1, 2)
    HALF = 0.5


class Permission(enum.Flag):
    """Members that combine."""

    READ = 1
    WRITE = 2


class Plain:
    """A class without any base, which no schema describes."""

    def __init__(self, name: str, counts: set[int]) -> None:
        self.name = name
        self.counts = counts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plain) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # compared by value, so not hashable

    def __repr__(self) -> str:
        return f"Plain({self.name!r}, {self.counts!r})"


class Money:
    """A class with a form of its own, which cannot be pickled."""

    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and self.cents == other.cents

    def __hash__(self) -> int:
        return hash(self.cents)

    def __repr__(self) -> str:
        return f"Money({self.cents})"

    def __reduce__(self) -> Any:
        raise RuntimeError("not to be pickled")


upwell.io.register(Money, encode=lambda money: str(money.cents).encode(), decode=lambda data: Money(int(data)))


@dataclasses.dataclass
class Doubled:
    """Its own code changes what it is given, and it keeps more than it is given."""

    value: int
    given: dataclasses.InitVar[int] = 0
    total: int = dataclasses.field(init=False)

    def __post_init__(self, given: int) -> None:
        self.value *= 2
        self.total = self.value + given


@dataclasses.dataclass(frozen=True)
class TypedValue:
    """A type and a value of it."""

    annotation: Any
    value: Any


_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_ZONES = st.just(UTC) | _OFFSETS


def _as_scalar(value: Any) -> np.generic:
    return value if isinstance(value, np.generic) else np.array(value)[()]


_TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
_PATHS = st.lists(st.text("ab.", min_size=1, max_size=3), min_size=1, max_size=3).map(
    lambda parts: Path(*parts)
)
_ARRAYS = (hnp.scalar_dtypes() | hnp.nested_dtypes(max_leaves=3)).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
)
_PLAIN = st.builds(Plain, _TEXT, st.sets(st.integers(0, 9)))

HASHABLE: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers()),
    (str, _TEXT),
    (bool, st.booleans()),
    (bytes, st.binary(max_size=8)),
    (float, st.floats(allow_nan=False)),
    (type(None), st.none()),
    (Color, st.sampled_from(Color)),
    (Odd, st.sampled_from(Odd)),
    (Permission, st.sampled_from([Permission.READ, Permission.READ | Permission.WRITE])),
    (typing.Literal["a", "b"], st.sampled_from(["a", "b"])),
    (typing.Literal[Color.RED, "s", 1], st.sampled_from([Color.RED, "s", 1])),
    (tuple[int, str], st.tuples(st.integers(), _TEXT)),
    (Any, st.sampled_from([1, "1", (1, 2)])),
    (Money, st.builds(Money, st.integers())),
]
"""Types of keys and set members."""
LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    *HASHABLE,
    (float, st.floats()),
    (Plain, _PLAIN),
    (Path, _PATHS),
    (datetime.datetime, st.datetimes(timezones=_ZONES)),
    (datetime.date, st.dates()),
    (datetime.time, st.times()),
    (datetime.timedelta, st.timedeltas()),
    (decimal.Decimal, st.decimals(allow_nan=False)),
    (uuid.UUID, st.uuids()),
    (complex, st.complex_numbers()),
    (bytearray, st.binary(max_size=8).map(bytearray)),
    (range, st.builds(range, st.integers(0, 9), st.integers(0, 9), st.integers(1, 3))),
    (datetime.timezone, _OFFSETS),
    (Doubled, st.builds(Doubled, st.integers(), st.integers())),
    (np.ndarray, _ARRAYS),
    (np.generic, hnp.scalar_dtypes().flatmap(hnp.from_dtype).map(_as_scalar)),
    (np.float32, st.floats(width=32).map(np.float32)),
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
"""What JSON holds exactly."""
ANYTHING = st.recursive(
    JSON | st.floats() | st.binary(max_size=4) | _PLAIN | st.just({"$upwell": "pickle", "data": "x"}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.integers() | _TEXT, inner, max_size=3)
    ),
    max_leaves=6,
)
"""What a parameter without a type may be given."""


def _of(generic: Any, *args: Any) -> Any:
    return generic[args if len(args) > 1 else args[0]]


@st.composite
def typed_values(draw: st.DrawFn, depth: int = 3) -> TypedValue:
    """Draw a type and a value of it."""
    makers = (
        [_leaf] if depth == 0 else [_leaf, _list, _dict, _set, _tuple, _optional, _union, _structure, _untyped]
    )
    return draw(st.sampled_from(makers))(draw, depth - 1)


def _leaf(draw: st.DrawFn, _: int) -> TypedValue:
    annotation, values = draw(st.sampled_from(LEAVES))
    return TypedValue(annotation, draw(values))


def _untyped(draw: st.DrawFn, _: int) -> TypedValue:
    kind = draw(st.sampled_from([Any, dict, list]))
    value = draw(ANYTHING if kind is Any else ANYTHING.filter(lambda v: type(v) is kind))
    return TypedValue(kind, value)


def _list(draw: st.DrawFn, depth: int) -> TypedValue:
    item = draw(typed_values(depth=depth))
    generic, make = draw(
        st.sampled_from(
            [
                (list, list),
                (collections.deque, collections.deque),
                (collections.abc.Sequence, list),
                (tuple, tuple),
            ]
        )
    )
    args = (item.annotation, ...) if generic is tuple else (item.annotation,)
    return TypedValue(_of(generic, *args), make([item.value] * draw(st.integers(0, 2))))


def _tuple(draw: st.DrawFn, depth: int) -> TypedValue:
    items = [draw(typed_values(depth=depth)) for _ in range(draw(st.integers(1, 3)))]
    return TypedValue(_of(tuple, *(i.annotation for i in items)), tuple(i.value for i in items))


def _set(draw: st.DrawFn, _: int) -> TypedValue:
    annotation, values = draw(st.sampled_from(HASHABLE))
    kind = draw(st.sampled_from([set, frozenset]))
    return TypedValue(_of(kind, annotation), kind(draw(st.lists(values, max_size=3))))


def _dict(draw: st.DrawFn, depth: int) -> TypedValue:
    annotation, keys = draw(st.sampled_from(HASHABLE))
    item = draw(typed_values(depth=depth))
    value = dict.fromkeys(draw(st.lists(keys, max_size=3)), item.value)
    generic, make = draw(
        st.sampled_from(
            [(dict, dict), (collections.abc.Mapping, dict), (collections.OrderedDict, collections.OrderedDict)]
        )
    )
    return TypedValue(_of(generic, annotation, item.annotation), make(value))


def _optional(draw: st.DrawFn, depth: int) -> TypedValue:
    item = draw(typed_values(depth=depth))
    annotation = _of(typing.Optional, item.annotation)
    return TypedValue(annotation, draw(st.sampled_from([None, item.value])))


def _union(draw: st.DrawFn, depth: int) -> TypedValue:
    first, second = draw(typed_values(depth=depth)), draw(typed_values(depth=depth))
    annotation = _of(typing.Union, first.annotation, second.annotation)
    return TypedValue(annotation, draw(st.sampled_from([first, second])).value)


def _structure(draw: st.DrawFn, depth: int) -> TypedValue:
    """Draw a dataclass, model, NamedTuple or TypedDict, and an instance of it."""
    items = {name: draw(typed_values(depth=depth)) for name in ("a", "type")}
    hints: dict[str, Any] = {name: item.annotation for name, item in items.items()}
    values = {name: item.value for name, item in items.items()}
    kind = draw(st.sampled_from(["dataclass", "slots", "model", "named tuple", "typed dict"]))
    cls: Any
    if kind == "typed dict":
        make: Any = draw(st.sampled_from([typing_extensions.TypedDict, typing.TypedDict]))
        cls = make("Fields", hints)
        return TypedValue(cls, values)
    if kind == "named tuple":
        make = typing.NamedTuple
        cls = make("Fields", list(hints.items()))
        return TypedValue(cls, cls(**values))
    if kind in ("dataclass", "slots"):
        has_slots = kind == "slots"
        cls = dataclasses.make_dataclass(
            "Fields", list(hints.items()), slots=has_slots, kw_only=has_slots, frozen=has_slots
        )
        return TypedValue(cls, cls(**values))
    config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    fields: dict[str, Any] = {name: (hint, ...) for name, hint in hints.items()}
    try:
        cls = pydantic.create_model("Fields", __config__=config, **fields)
    except pydantic.errors.PydanticUserError:  # a model with a typing.TypedDict cannot be declared before 3.12
        reject()
    return TypedValue(cls, cls.model_construct(**values))


def is_same(left: Any, right: Any) -> bool:
    """Say whether two values are equal and of equal types all the way down, nan being itself."""
    if type(left) is not type(right):
        return False
    if isinstance(left, pd.DataFrame):
        return left.equals(right) and is_same(left.dtypes.tolist(), right.dtypes.tolist())
    if isinstance(left, np.ndarray):
        return (left.dtype, left.shape) == (right.dtype, right.shape) and is_same(left.tolist(), right.tolist())
    if isinstance(left, (float, complex, decimal.Decimal, np.generic)):
        return bool(left == right) or repr(left) == repr(right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(is_same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple, collections.deque)):
        return len(left) == len(right) and all(map(is_same, left, right))
    if dataclasses.is_dataclass(left):
        fields = [field.name for field in dataclasses.fields(left)]
        return all(is_same(getattr(left, name), getattr(right, name)) for name in fields)
    if isinstance(left, pydantic.BaseModel):
        return is_same(vars(left), vars(right))
    return bool(left == right)
