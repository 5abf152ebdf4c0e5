"""TypedDicts with other types inside, and inside other types."""

from dataclasses import dataclass
from typing import NamedTuple, NotRequired, TypedDict

from pydantic import BaseModel
from scenario import Scenario
from typing_extensions import TypedDict as InModels

import upwell
from upwell.io import Directory, File

env = upwell.TaskEnvironment("case-typed-dicts")


@dataclass
class Size:
    width: int
    height: int


class Label(BaseModel):
    text: str


class Range(NamedTuple):
    low: int
    high: int = 9


class Place(InModels):  # pydantic takes no other in models before Python 3.12
    lat: float
    lon: float


class Mixed(TypedDict):
    size: Size
    label: Label
    span: Range
    pair: tuple[Place, Place]
    places: list[Place]
    by_name: dict[str, Place]
    file: File
    folder: NotRequired[Directory]
    comment: NotRequired[str]


@dataclass
class Holder:
    place: Place


class Holding(BaseModel):
    place: Place
    mixed: list[Place]


class Named(NamedTuple):
    place: Place


@env.task
async def make() -> Mixed:
    file = File.new_remote("note.txt")
    async with file.open("w") as f:
        await f.write("x" * 52)
    place = Place(lat=41.01, lon=-78.70)
    return {
        "size": Size(2, 3),
        "label": Label(text="l"),
        "span": Range(1),
        "pair": (place, {"lat": 1.0, "lon": 2.0}),
        "places": [place],
        "by_name": {"home": place},
        "file": file,
        "comment": "no folder",
    }


@env.task
async def use(mixed: Mixed) -> list[str]:
    async with mixed["file"].open("r") as f:
        text = await f.read()
    return [
        f"{mixed['size'].width * mixed['size'].height} {mixed['label'].text} {mixed['span'].high}",
        f"{mixed['pair'][1]['lon']} {mixed['places'][0]['lat']} {mixed['by_name']['home']['lon']}",
        f"{len(text)} {'folder' in mixed} {mixed.get('comment')}",
    ]


@env.task
async def use_inside(held: Holder, holding: Holding, named: Named, both: tuple[Place, int]) -> list[float]:
    return [
        held.place["lat"],
        holding.place["lat"] + holding.mixed[0]["lat"],
        named.place["lat"],
        both[0]["lat"],
    ]


@env.task
async def main() -> dict[str, list[str] | list[float]]:
    mixed = await make()
    place = mixed["places"][0]
    inside = await use_inside(
        Holder(place), Holding(place=place, mixed=[place]), Named(place), ({"lat": 4.0, "lon": 0.0}, 1)
    )
    return {"mixed": await use(mixed), "inside": inside}


SCENARIO = Scenario(
    main,
    value={"mixed": ["6 l 9", "2.0 41.01 -78.7", "52 False no folder"], "inside": [41.01, 82.02, 41.01, 4.0]},
)
