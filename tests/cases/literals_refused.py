"""Values outside of an enum or a literal are refused before anything is sent."""

from enum import Enum
from typing import Literal

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-literals-refused")


class Color(Enum):
    RED = "red"
    GREEN = "green"


Intensity = Literal["low", "high"]
Level = Literal[1, 2]


@env.task
async def echo(color: Color, intensity: Intensity, level: Level) -> tuple[Color, Intensity, Level]:
    return color, intensity, level


@env.task
async def main() -> list[str]:
    seen = []
    for color, intensity, level in [
        (Color.RED, "high", 1),
        (Color.RED, "purple", 1),
        (Color.RED, "high", 3),
        ("pink", "high", 1),
        (Color.RED, Color.RED, 1),
    ]:
        try:
            seen.append(str(await echo(color, intensity, level)))  # type: ignore[arg-type]
        except TypeError as e:
            seen.append(type(e).__name__)
    return seen


def check(observed: Observed) -> None:
    assert len(observed.of(echo)) == 1


SCENARIO = Scenario(main, value=["(<Color.RED: 'red'>, 'high', 1)", *["TypeError"] * 4], check=check)
