"""TypedDicts with everything inside, and inside everything."""

import os
import tempfile
from dataclasses import dataclass
from typing import NamedTuple, NotRequired, TypedDict

import pandas as pd
import typing_extensions
from pydantic import BaseModel

import upwell
from upwell.io import DataFrame, Dir, File

env = upwell.TaskEnvironment(
    "typed_dicts", image=upwell.Image.from_debian_base().with_pip_packages("pandas", "pyarrow")
)


@dataclass
class Size:
    width: int
    height: int


class Label(BaseModel):
    text: str
    weight: float = 1.0


class Span(NamedTuple):
    low: int
    high: int = 9


class Place(typing_extensions.TypedDict):  # pydantic takes no other in models before Python 3.12
    lat: float
    lon: float
    name: NotRequired[str]


class WithDataclasses(TypedDict):
    first: Size
    second: Size


class WithModels(TypedDict):
    label: Label
    others: list[Label]


class WithTuples(TypedDict):
    pair: tuple[Place, Place]
    nested: tuple[int, tuple[str, float]]


class WithNamedTuples(TypedDict):
    span: Span
    spans: list[Span]


class WithDicts(TypedDict):
    counts: dict[str, int]
    places: dict[str, Place]


class WithLists(TypedDict):
    numbers: list[int]
    places: list[Place]


class WithFiles(TypedDict):
    train: File
    test: File


class WithDirs(TypedDict):
    images: Dir
    labels: Dir


class WithFrames(TypedDict):
    train: DataFrame
    test: DataFrame


class Mixture(TypedDict):
    file: File
    folder: Dir
    frame: DataFrame
    size: Size
    comment: NotRequired[str]


@dataclass
class Trip:
    start: Place
    end: Place


class Address(BaseModel):
    street: str
    place: Place


class Stop(NamedTuple):
    number: int
    place: Place


class Inner(TypedDict):
    data: File
    index: File


class Outer(TypedDict):
    left: Inner
    right: Inner
    name: str


class Summary(TypedDict):
    dataclasses: str
    models: str
    tuples: str
    named_tuples: str
    dicts: str
    lists: str
    files: str
    dirs: str
    frames: str
    mixture: str
    in_dataclass: str
    in_model: str
    in_named_tuple: str
    in_tuple: str
    in_list: str
    in_dict: str
    nested: str


OSLO: Place = {"lat": 59.91, "lon": 10.75, "name": "Oslo"}
BERGEN: Place = {"lat": 60.39, "lon": 5.32}


async def write(name: str, size: int) -> File:
    file = File.new_remote(name)
    async with file.open("wb") as f:
        await f.write(b"x" * size)
    return file


async def size_of(file: File) -> int:
    async with file.open("rb") as f:
        return len(await f.read())


async def folder(count: int) -> Dir:
    path = tempfile.mkdtemp()
    for i in range(count):
        with open(os.path.join(path, f"{i}.txt"), "w") as f:
            f.write(str(i))
    return await Dir.from_local(path)


async def count(directory: Dir) -> int:
    return len([file async for file in directory.walk()])


def frame(rows: int) -> DataFrame:
    return DataFrame.from_df(pd.DataFrame({"x": range(rows)}))


async def rows(reference: DataFrame) -> int:
    return len(await reference.open(pd.DataFrame).all())


@env.task
async def make_dataclasses() -> WithDataclasses:
    return {"first": Size(2, 3), "second": Size(4, 5)}


@env.task
async def use_dataclasses(value: WithDataclasses) -> str:
    first, second = value["first"], value["second"]
    return f"areas {first.width * first.height}, {second.width * second.height}"


@env.task
async def make_models() -> WithModels:
    return {"label": Label(text="a"), "others": [Label(text="b", weight=0.5), Label(text="c")]}


@env.task
async def use_models(value: WithModels) -> str:
    return f"labels {value['label'].text}, {', '.join(other.text for other in value['others'])}"


@env.task
async def make_tuples() -> WithTuples:
    return {"pair": (OSLO, BERGEN), "nested": (1, ("two", 3.0))}


@env.task
async def use_tuples(value: WithTuples) -> str:
    return f"from {value['pair'][0]['name']} to {value['pair'][1]['lat']}, {value['nested'][1][0]}"


@env.task
async def make_named_tuples() -> WithNamedTuples:
    return {"span": Span(1), "spans": [Span(1, 2), Span(3)]}


@env.task
async def use_named_tuples(value: WithNamedTuples) -> str:
    return f"up to {value['span'].high}, spans of {[span.high - span.low for span in value['spans']]}"


@env.task
async def make_dicts() -> WithDicts:
    return {"counts": {"a": 1, "b": 2}, "places": {"home": OSLO}}


@env.task
async def use_dicts(value: WithDicts) -> str:
    return (
        f"{sum(value['counts'].values())} of {','.join(value['counts'])}, home {value['places']['home']['lon']}"
    )


@env.task
async def make_lists() -> WithLists:
    return {"numbers": [1, 2, 3], "places": [OSLO, BERGEN]}


@env.task
async def use_lists(value: WithLists) -> str:
    return f"{len(value['numbers'])} numbers, {len(value['places'])} places"


@env.task
async def make_files() -> WithFiles:
    return {"train": await write("train.bin", 700), "test": await write("test.bin", 300)}


@env.task
async def use_files(value: WithFiles) -> str:
    return f"{await size_of(value['train'])} and {await size_of(value['test'])} bytes"


@env.task
async def make_dirs() -> WithDirs:
    return {"images": await folder(4), "labels": await folder(2)}


@env.task
async def use_dirs(value: WithDirs) -> str:
    return f"{await count(value['images'])} and {await count(value['labels'])} files"


@env.task
async def make_frames() -> WithFrames:
    return {"train": frame(80), "test": frame(20)}


@env.task
async def use_frames(value: WithFrames) -> str:
    return f"{await rows(value['train'])} and {await rows(value['test'])} rows"


@env.task
async def make_mixture() -> Mixture:
    return {"file": await write("m.bin", 52), "folder": await folder(3), "frame": frame(5), "size": Size(1, 2)}


@env.task
async def use_mixture(value: Mixture) -> str:
    parts = [await size_of(value["file"]), await count(value["folder"]), await rows(value["frame"])]
    return f"{parts} {value['size'].height} {value.get('comment', 'no comment')}"


@env.task
async def make_trip() -> Trip:
    return Trip(OSLO, BERGEN)


@env.task
async def use_trip(trip: Trip) -> str:
    return f"trip from {trip.start['lat']} to {trip.end['lat']}"


@env.task
async def make_address() -> Address:
    return Address(street="Karl Johans gate", place=OSLO)


@env.task
async def use_address(address: Address) -> str:
    return f"{address.street} at {address.place['lon']}"


@env.task
async def make_stop() -> Stop:
    return Stop(3, OSLO)


@env.task
async def use_stop(stop: Stop) -> str:
    return f"stop {stop.number} in {stop.place['name']}"


@env.task
async def make_place(lat: float, lon: float) -> Place:
    return {"lat": lat, "lon": lon}


@env.task
async def use_tuple(both: tuple[Place, int]) -> str:
    return f"{both[1]} times {both[0]['lat']}"


@env.task
async def make_places() -> list[Place]:
    return [
        {"lat": 40.71, "lon": -74.01},
        {"lat": 34.05, "lon": -118.24},
        {"lat": 41.88, "lon": -87.63},
        {"lat": 47.40, "lon": -34.92},
    ]


@env.task
async def use_places(places: list[Place]) -> str:
    lat = sum(place["lat"] for place in places) / len(places)
    lon = sum(place["lon"] for place in places) / len(places)
    return f"centroid {lat:.2f}, {lon:.2f}"


@env.task
async def make_by_name() -> dict[str, Place]:
    return {"oslo": OSLO, "bergen": BERGEN}


@env.task
async def use_by_name(places: dict[str, Place]) -> str:
    return " and ".join(sorted(places))


@env.task
async def make_nested() -> Outer:
    left: Inner = {"data": await write("l.bin", 5000), "index": await write("l.idx", 500)}
    right: Inner = {"data": await write("r.bin", 3000), "index": await write("r.idx", 400)}
    return {"left": left, "right": right, "name": "both"}


@env.task
async def use_nested(outer: Outer) -> str:
    files = [side[part] for side in (outer["left"], outer["right"]) for part in ("data", "index")]
    return f"{outer['name']}: {sum([await size_of(file) for file in files])} bytes"


@env.task
async def main() -> Summary:
    return {
        "dataclasses": await use_dataclasses(await make_dataclasses()),
        "models": await use_models(await make_models()),
        "tuples": await use_tuples(await make_tuples()),
        "named_tuples": await use_named_tuples(await make_named_tuples()),
        "dicts": await use_dicts(await make_dicts()),
        "lists": await use_lists(await make_lists()),
        "files": await use_files(await make_files()),
        "dirs": await use_dirs(await make_dirs()),
        "frames": await use_frames(await make_frames()),
        "mixture": await use_mixture(await make_mixture()),
        "in_dataclass": await use_trip(await make_trip()),
        "in_model": await use_address(await make_address()),
        "in_named_tuple": await use_stop(await make_stop()),
        "in_tuple": await use_tuple((await make_place(4.0, 0.0), 2)),
        "in_list": await use_places(await make_places()),
        "in_dict": await use_by_name(await make_by_name()),
        "nested": await use_nested(await make_nested()),
    }


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
