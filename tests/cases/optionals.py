"""Optional inputs: given, given as None, and left out; unions with None at two levels."""

from datetime import datetime, timedelta
from typing import Optional

from scenario import Scenario

import upwell

env = upwell.TaskEnvironment("case-optionals")


@env.task
def describe(
    i: Optional[int] = None,  # noqa: UP045  # as users write it
    f: Optional[float] = None,  # noqa: UP045
    s: str | None = None,
    b: bool | None = None,
    moment: datetime | None = None,
    span: timedelta | None = None,
) -> str:
    return ", ".join(f"{value}" for value in (i, f, s, b, moment, span))


@env.task
def same(table: dict[str, list[str] | None] | None) -> dict[str, list[str] | None] | None:
    return table


@env.task
def main() -> list[str]:
    return [
        describe(42, 3.14, "Hello", True, datetime(2024, 1, 1, 12), timedelta(hours=1)),
        describe(f=2.71, b=False, s=None, span=timedelta(minutes=30)),
        describe(),
        repr(same({"key": ["value1", "value2"], "none": None})),
        repr(same(None)),
    ]


SCENARIO = Scenario(
    main,
    value=[
        "42, 3.14, Hello, True, 2024-01-01 12:00:00+00:00, 1:00:00",
        "None, 2.71, None, False, None, 0:30:00",
        "None, None, None, None, None, None",
        "{'key': ['value1', 'value2'], 'none': None}",
        "None",
    ],
)
