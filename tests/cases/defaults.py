"""Defaults of every simple type, under names that hide the built-ins."""

from datetime import datetime, timedelta

from scenario import Scenario

import upwell

env = upwell.TaskEnvironment("case-defaults")


@env.task
def greet(
    str: str = "World",  # noqa: A002  # the names are what this is about
    int: int = 42,  # noqa: A002
    float: float = 3.14,  # noqa: A002
    bool: bool = True,  # noqa: A002
    datetime: datetime = datetime(2024, 1, 1, 12),
    timedelta: timedelta = timedelta(hours=1),
) -> str:
    return f"{str} {int} {float} {bool} {datetime} {timedelta}"


@env.task
def main() -> list[str]:
    return [greet(), greet("again", int=100, float=2.71)]


SCENARIO = Scenario(
    main,
    value=[
        "World 42 3.14 True 2024-01-01 12:00:00+00:00 1:00:00",
        "again 100 2.71 True 2024-01-01 12:00:00+00:00 1:00:00",
    ],
)
