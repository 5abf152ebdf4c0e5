"""Every kind of value at once, into a task and out of it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, Optional, Union
from uuid import UUID

from pydantic import BaseModel
from scenario import ANYTHING, Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-every-type")


class Color(Enum):
    RED = "red"
    GREEN = "green"


@dataclass
class Point:
    x: int
    label: str = "none"


class Model(BaseModel):
    name: str
    points: list[Point] = []
    seen: datetime | None = None


@env.task
async def simple(
    i: int, f: float, s: str, b: bool, data: bytes, moment: datetime, day: date, clock: time, span: timedelta
) -> tuple[int, float, str, bool, bytes, datetime, date, time, timedelta]:
    return i, f, s, b, data, moment, day, clock, span


@env.task
async def containers(
    items: list[int],
    table: dict[str, list[float]],
    by_number: dict[int, str],
    pair: tuple[int, str],
    many: tuple[int, ...],
    unique: set[str],
    frozen: frozenset[int],
    nested: list[dict[str, tuple[int, list[str]]]],
) -> dict[str, str]:
    return {
        "items": repr(items),
        "table": repr(table),
        "by_number": repr(by_number),
        "pair": repr(pair),
        "many": repr(many),
        "unique": repr(sorted(unique)) + type(unique).__name__,
        "frozen": repr(sorted(frozen)) + type(frozen).__name__,
        "nested": repr(nested),
    }


@env.task
async def special(
    point: Point,
    model: Model,
    color: Color,
    literal: Literal["low", "high"],
    maybe: Optional[int],  # noqa: UP045  # as users write it
    either: Union[str, int],  # noqa: UP007  # as users write it
    anything: Any,
    number: Decimal,
    identity: UUID,
) -> tuple[Point, Model, Color, str, int | None, str | int, Any, Decimal, UUID]:
    return point, model, color, literal, maybe, either, anything, number, identity


@env.task
async def nothing(x: None) -> None:
    return x


@env.task
async def main() -> dict[str, Any]:
    class Local:
        def __init__(self, value: int) -> None:
            self.value = value

    moment = datetime(2024, 1, 2, 3, 4, 5, 6)
    first = await simple(
        1,
        2.5,
        "ü\x00\n",
        True,
        b"\x00\xffseventeen bytes",
        moment,
        date(2024, 2, 29),
        time(1, 2),
        timedelta(days=-1, microseconds=1),
    )
    second = await containers(
        [1, 2], {"a": [1.0]}, {1: "one"}, (1, "a"), (1, 2, 3), {"b", "a"}, frozenset({3}), [{"k": (1, ["x"])}]
    )
    third = await special(
        {"x": 1},  # type: ignore[arg-type]  # a dict becomes the dataclass
        Model(name="m", points=[Point(2)], seen=moment),
        Color.GREEN,
        "high",
        None,
        7,
        Local(5),
        Decimal("1.10"),
        UUID(int=1),
    )
    inf = await simple(10**30, float("inf"), "", False, b"", moment, date.min, time.max, timedelta())
    return {
        "simple": first[:5],
        "times": [value.isoformat() for value in first[5:8]] + [first[8]],
        "containers": second,
        "special": [repr(value) for value in third if not hasattr(value, "value") or isinstance(value, Color)],
        "local": third[6].value,
        "extreme": [inf[0] == 10**30, inf[1] == float("inf"), inf[5].tzinfo == UTC, inf[6] == date.min],
        "nothing": await nothing(None),
    }


def check(observed: Observed) -> None:
    value = observed.value
    assert list(value["simple"]) == [1, 2.5, "ü\x00\n", True, b"\x00\xffseventeen bytes"]
    assert value["times"] == [
        "2024-01-02T03:04:05.000006+00:00",
        "2024-02-29",
        "01:02:00",
        timedelta(days=-1, microseconds=1),
    ]
    assert value["containers"] == {
        "items": "[1, 2]",
        "table": "{'a': [1.0]}",
        "by_number": "{1: 'one'}",
        "pair": "(1, 'a')",
        "many": "(1, 2, 3)",
        "unique": "['a', 'b']set",
        "frozen": "[3]frozenset",
        "nested": "[{'k': (1, ['x'])}]",
    }
    model = Model(name="m", points=[Point(2)], seen=datetime(2024, 1, 2, 3, 4, 5, 6))
    expected = [Point(1), model, Color.GREEN, "high", None, 7, Decimal("1.10"), UUID(int=1)]
    assert value["special"] == [repr(item) for item in expected]
    assert (value["local"], value["nothing"]) == (5, None)
    assert all(value["extreme"])


SCENARIO = Scenario(main, value=ANYTHING, check=check)
