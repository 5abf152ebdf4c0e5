"""Enums and literals, plain and as fields, through tasks that echo and tasks that format them."""

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from pydantic import BaseModel

import upwell

env = upwell.TaskEnvironment("enums_and_literals")


class Color(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


Intensity = Literal["low", "medium", "high"]
IntLiteral = Literal[1, 2, 3]
MixedLiteral = Literal[Color.RED, "a", 1]


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
async def format_color(color: Color) -> str:
    return f"Color is {color.value}"


@env.task
async def echo_literals(
    intensity: Intensity, number: IntLiteral, mixed: MixedLiteral
) -> tuple[Intensity, IntLiteral, MixedLiteral]:
    return intensity, number, mixed


@env.task
async def format_literals(intensity: Intensity, number: IntLiteral, mixed: MixedLiteral) -> str:
    return f"Intensity is {intensity}, IntLiteral is {number}, MixedLiteral is {mixed}"


@env.task
async def echo_point(point: DataPoint) -> DataPoint:
    return point


@env.task
async def format_point(point: DataPoint) -> str:
    return f"DataPoint is pos={point.pos}, color={point.color.value}, intensity={point.intensity}"


@env.task
async def echo_py_point(point: PyDataPoint) -> PyDataPoint:
    return point


@env.task
async def format_py_point(point: PyDataPoint) -> str:
    return f"PyDataPoint is pos={point.pos}, color={point.color.value}, intensity={point.intensity}"


async def pipe(echo, format_, *values) -> str:
    echoed = await echo(*values)
    if isinstance(echoed, tuple):
        return await format_(*echoed)
    return await format_(echoed)


@env.task
async def main() -> list[str]:
    return await asyncio.gather(
        pipe(echo_color, format_color, Color.RED),
        pipe(echo_literals, format_literals, "high", 1, Color.GREEN),
        pipe(echo_point, format_point, DataPoint(pos=1, color=Color.GREEN, intensity="medium")),
        pipe(echo_py_point, format_py_point, PyDataPoint(pos=2, color=Color.BLUE, intensity="low")),
    )


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
