"""NamedTuples that hold dataclasses, models, files, directories, frames, and each other."""

import os
import tempfile
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd
from pydantic import BaseModel

import upwell
from upwell.io import DataFrame, Dir, File

env = upwell.TaskEnvironment(
    "named_tuples_of_data",
    image=upwell.Image.from_debian_base().with_pip_packages("pandas", "pyarrow"),
)


@dataclass
class Layer:
    name: str
    units: int


@dataclass
class Optimizer:
    name: str
    rate: float = 0.01


class Network(NamedTuple):
    first: Layer
    second: Layer
    optimizer: Optimizer


class User(BaseModel):
    name: str
    email: str


class Order(BaseModel):
    number: int
    items: list[str]


class Purchase(NamedTuple):
    user: User
    order: Order


class DataFiles(NamedTuple):
    train: File
    test: File
    config: File


class Folders(NamedTuple):
    images: Dir
    labels: Dir
    version: str


class Splits(NamedTuple):
    train: DataFrame
    validation: DataFrame
    test: DataFrame


class Experiment(NamedTuple):
    log: File
    artifacts: Dir
    results: DataFrame
    name: str


class RawData(NamedTuple):
    records: File
    index: File


class Pipeline(NamedTuple):
    raw: RawData
    cleaned: RawData
    name: str


class Report(NamedTuple):
    network: str
    purchase: str
    sizes: dict
    folders: dict
    rows: dict
    experiment: str
    pipeline: dict


async def write(name: str, content: bytes) -> File:
    file = File.new_remote(name)
    async with file.open("wb") as f:
        await f.write(content)
    return file


async def size(file: File) -> int:
    async with file.open("rb") as f:
        return len(await f.read())


def make_folder(names: list[str]) -> str:
    folder = tempfile.mkdtemp()
    for name in names:
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(name)
    return folder


@env.task
async def make_network() -> Network:
    return Network(Layer("dense", 64), Layer("output", 10), Optimizer("adam"))


@env.task
async def describe_network(network: Network) -> str:
    first, second, optimizer = network
    return f"{first.name}({first.units}), {second.name}({second.units}), {optimizer}"


@env.task
async def make_purchase() -> Purchase:
    return Purchase(User(name="Ann", email="ann@example.com"), Order(number=7, items=["pen", "ink"]))


@env.task
async def describe_purchase(purchase: Purchase) -> str:
    return f"{purchase.user.name} ordered {', '.join(purchase.order.items)} ({purchase.order.number})"


@env.task
async def make_files() -> DataFiles:
    return DataFiles(
        train=await write("train.csv", b"x,y,label,weight,id\n" * 140),
        test=await write("test.csv", b"1,2,3,4,5\n" * 218 + b"1,2,3,4\n\n"),
        config=await write("config.json", b'{"batch_size": 32, "epochs": 10, "seed": 1234567890}'),
    )


@env.task
async def measure_files(files: DataFiles) -> dict:
    return {name: await size(file) for name, file in files._asdict().items()}


@env.task
async def make_folders() -> Folders:
    return Folders(
        images=await Dir.from_local(make_folder(["a.png", "b.png", "c.png", "extra/d.png"])),
        labels=await Dir.from_local(make_folder(["a.txt", "b.txt", "c.txt"])),
        version="v2",
    )


@env.task
async def count_files(folders: Folders) -> dict:
    images = [file async for file in folders.images.walk(recursive=True)]
    labels = [file async for file in folders.labels.walk(recursive=True)]
    return {"images": len(images), "labels": len(labels), "version": folders.version}


@env.task
async def make_splits() -> Splits:
    def frame(rows: int) -> DataFrame:
        return DataFrame.from_df(pd.DataFrame({"x": range(rows), "y": [i * 0.5 for i in range(rows)]}))

    return Splits(train=frame(100), validation=frame(30), test=frame(30))


@env.task
async def count_rows(splits: Splits) -> dict:
    train = await splits.train.open(pd.DataFrame).all()
    test = await splits.test.open(pd.DataFrame).all()
    return {"train": len(train), "test": len(test), "total_rows": len(train) + len(test)}


@env.task
async def make_experiment() -> Experiment:
    results = pd.DataFrame({"model": ["linear", "tree", "nn"], "accuracy": [0.8, 0.85, 0.95]})
    return Experiment(
        log=await write("log.txt", b"epoch: loss " * 116 + b"finished"),
        artifacts=await Dir.from_local(make_folder(["weights.bin", "plot.png"])),
        results=DataFrame.from_df(results),
        name="baseline",
    )


@env.task
async def describe_experiment(experiment: Experiment) -> str:
    results = await experiment.results.open(pd.DataFrame).all()
    best = results.loc[results["accuracy"].idxmax(), "model"]
    artifacts = [file async for file in experiment.artifacts.walk()]
    return f"{experiment.name}: {await size(experiment.log)} bytes, {len(artifacts)} artifacts, best is {best}"


@env.task
async def make_pipeline() -> Pipeline:
    raw = RawData(await write("raw.bin", b"r" * 4000), await write("raw.idx", b"i" * 1000))
    cleaned = RawData(await write("clean.bin", b"c" * 2000), await write("clean.idx", b"i" * 500))
    return Pipeline(raw=raw, cleaned=cleaned, name="nightly")


@env.task
async def measure_pipeline(pipeline: Pipeline) -> dict:
    sizes = [await size(file) for data in (pipeline.raw, pipeline.cleaned) for file in data]
    return {"name": pipeline.name, "total_bytes": sum(sizes)}


@env.task
async def main() -> Report:
    return Report(
        network=await describe_network(await make_network()),
        purchase=await describe_purchase(await make_purchase()),
        sizes=await measure_files(await make_files()),
        folders=await count_files(await make_folders()),
        rows=await count_rows(await make_splits()),
        experiment=await describe_experiment(await make_experiment()),
        pipeline=await measure_pipeline(await make_pipeline()),
    )


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs().named_outputs)
