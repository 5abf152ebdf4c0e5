"""Enums and literals, plain and inside dataclasses and models, through tasks that echo them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from pydantic import BaseModel
from scenario import Scenario

import upwell

env = upwell.TaskEnvironment("case-enums-and-literals")


class Color(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


Intensity = Literal["low", "medium", "high"]
Level = Literal[1, 2, 3]


@dataclass
class DataPoint:
    pos: int
    color: Color
    intensity: Intensity


class PyDataPoint(BaseModel):
    pos: int
    color: Color
    intensity: Intensity


@env.task
async def echo_color(color: Color) -> Color:
    return color


@env.task
async def show_color(color: Color) -> str:
    return f"Color is {color.value}"


@env.task
async def echo_literals(
    intensity: Intensity, level: Level, mixed: Literal[Color.RED, Color.GREEN, "x", 4]
) -> tuple[Intensity, Level, Literal[Color.RED, Color.GREEN, "x", 4]]:
    return intensity, level, mixed


@env.task
async def show_literals(
    intensity: Intensity, level: Level, mixed: Literal[Color.RED, Color.GREEN, "x", 4]
) -> str:
    return f"Intensity is {intensity}, Level is {level!r}, Mixed is {mixed}"


@env.task
async def echo_point(point: DataPoint) -> DataPoint:
    return point


@env.task
async def show_point(point: DataPoint) -> str:
    return f"DataPoint is pos={point.pos}, color={point.color.value}, intensity={point.intensity}"


@env.task
async def echo_py_point(point: PyDataPoint) -> PyDataPoint:
    return point


@env.task
async def show_py_point(point: PyDataPoint) -> str:
    return f"PyDataPoint is pos={point.pos}, color={point.color.value}, intensity={point.intensity}"


async def pipe(echo: Callable[..., Awaitable[Any]], show: Callable[..., Awaitable[str]], *values: Any) -> str:
    """Pass a value through two tasks; a tuple of outputs is spread over the second one's inputs."""
    echoed = await echo(*values)
    return await (show(*echoed) if isinstance(echoed, tuple) else show(echoed))


@env.task
async def refused() -> list[str]:
    seen = []
    for value in ("purple", Color.RED):
        try:
            await show_literals(value, 1, "x")  # type: ignore[arg-type]
        except TypeError as e:
            seen.append(type(e).__name__)
    return seen


@env.task
async def main() -> list[str]:
    shown = await asyncio.gather(
        pipe(echo_color, show_color, Color.RED),
        pipe(echo_literals, show_literals, "high", 1, Color.GREEN),
        pipe(echo_point, show_point, DataPoint(1, Color.GREEN, "medium")),
        pipe(echo_py_point, show_py_point, PyDataPoint(pos=2, color=Color.BLUE, intensity="low")),
    )
    return [*shown, *await refused()]


SCENARIO = Scenario(
    main,
    value=[
        "Color is red",
        "Intensity is high, Level is 1, Mixed is Color.GREEN",
        "DataPoint is pos=1, color=green, intensity=medium",
        "PyDataPoint is pos=2, color=blue, intensity=low",
        "TypeError",
        "TypeError",
    ],
)
