"""Every type of value at once: made by one task, taken by another, described by several."""

import asyncio
import os
import tempfile
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, Literal, Optional, Union

import pandas as pd
from pydantic import BaseModel

import upwell
from upwell.io import DataFrame, Dir, File
from upwell.types import FlytePickle

env = upwell.TaskEnvironment(
    "every_type",
    image=upwell.Image.from_debian_base().with_pip_packages("pandas", "pyarrow"),
    reusable=upwell.ReusePolicy(replicas=2, concurrency=20),
)


class Color(Enum):
    RED = "red"
    GREEN = "green"


@dataclass
class Point:
    x: int
    y: int


class Settings(BaseModel):
    name: str
    rate: float = 0.5


@env.task
async def make() -> tuple[File, Dir, pd.DataFrame, DataFrame, Any, FlytePickle]:
    class Local:
        def __init__(self, value: int):
            self.value = value

    file = File.new_remote("hello.txt")
    async with file.open("wb") as f:
        await f.write(b"This file has exactly forty-six bytes in it...")
    folder = tempfile.mkdtemp()
    for i in range(3):
        with open(os.path.join(folder, f"part-{i}.txt"), "w") as part:
            part.write(f"part {i}")
    frame = pd.DataFrame({"name": ["Alice", "Bob", "Carol"], "age": [25, 30, 35], "score": [85.5, 90.0, 95.5]})
    nested = {"numbers": [1, 2, 3], "deep": {"flag": True, "none": None}}
    return file, await Dir.from_local(folder), frame, DataFrame.from_df(frame), nested, Local(7)


@env.task
async def describe_simple(number: int, fraction: float, text: str, flag: bool, data: bytes) -> dict[str, str]:
    return {
        "int": str(number),
        "float": str(fraction),
        "str": text,
        "bool": str(flag),
        "bytes": f"{len(data)} bytes",
    }


@env.task
async def describe_times(moment: datetime, duration: timedelta, day: date) -> dict[str, str]:
    return {"datetime": str(moment), "timedelta": str(duration), "date": str(day)}


@env.task
async def describe_containers(
    items: list[int],
    table: dict[str, int],
    pair: Any,
    maybe: Optional[str],
    nothing: Optional[int],
    either: Union[int, str],
    lists: list[list[int]],
    tables: dict[str, dict[str, int]],
) -> dict[str, str]:
    return {
        "list": str(items),
        "dict": str(table),
        "tuple": f"{type(pair).__name__} {pair}",
        "optional": str(maybe),
        "none": str(nothing),
        "union": f"{type(either).__name__} {either}",
        "list of lists": str(lists),
        "dict of dicts": str(tables),
    }


@env.task
async def describe_structures(
    point: Point, settings: Settings, color: Color, level: Literal["low", "high"]
) -> dict[str, str]:
    return {
        "dataclass": str(point),
        "model": settings.model_dump_json(),
        "enum": color.name,
        "literal": level,
    }


@env.task
async def describe_data(file: File, folder: Dir, frame: pd.DataFrame, reference: DataFrame) -> dict[str, str]:
    async with file.open("rb") as f:
        size = len(await f.read())
    names = sorted([part.name async for part in folder.walk()])
    opened = await reference.open(pd.DataFrame).all()
    return {
        "file": f"{size} bytes",
        "dir": f"{len(names)} files",
        "pandas": str(frame.shape),
        "dataframe": f"{type(reference).__name__} {opened.shape}",
    }


@env.task
async def describe_objects(nested: Any, thing: FlytePickle) -> dict[str, str]:
    return {"any": str(nested["deep"]["flag"]), "pickle": f"{type(thing).__name__} {thing.value}"}


@env.task
async def take(
    file: File,
    folder: Dir,
    frame: pd.DataFrame,
    reference: DataFrame,
    nested: Any,
    thing: FlytePickle,
    number: int,
    fraction: float,
    text: str,
    flag: bool,
    data: bytes,
    moment: datetime,
    duration: timedelta,
    day: date,
    items: list[int],
    table: dict[str, int],
    pair: Any,
    maybe: Optional[str],
    nothing: Optional[int],
    either: Union[int, str],
    lists: list[list[int]],
    tables: dict[str, dict[str, int]],
    point: Point,
    settings: Settings,
    color: Color,
    level: Literal["low", "high"],
) -> dict[str, str]:
    described = await asyncio.gather(
        describe_simple(number, fraction, text, flag, data),
        describe_times(moment, duration, day),
        describe_containers(items, table, pair, maybe, nothing, either, lists, tables),
        describe_structures(point, settings, color, level),
        describe_data(file, folder, frame, reference),
        describe_objects(nested, thing),
    )
    return {name: text for group in described for name, text in group.items()}


@env.task
async def main() -> dict[str, str]:
    file, folder, frame, reference, nested, thing = await make()
    return await take(
        file,
        folder,
        frame,
        reference,
        nested,
        thing,
        number=42,
        fraction=3.14,
        text="hello",
        flag=True,
        data=b"seventeen bytes!!",
        moment=datetime(2024, 1, 1, 12, 30),
        duration=timedelta(hours=2, minutes=30),
        day=date(2024, 2, 29),
        items=[1, 2, 3],
        table={"a": 1},
        pair=(1, "two"),
        maybe="given",
        nothing=None,
        either="text",
        lists=[[1], [2, 3]],
        tables={"outer": {"inner": 1}},
        point=Point(1, 2),
        settings=Settings(name="s"),
        color=Color.GREEN,
        level="high",
    )


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
