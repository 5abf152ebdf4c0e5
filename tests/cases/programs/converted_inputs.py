"""Inputs are converted on the way to a child: dicts become models, moments gain a zone, lists are copies."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import BaseModel

import upwell

env = upwell.TaskEnvironment("converted_inputs")


@dataclass
class Range:
    low: int
    high: int = 10


class Job(BaseModel):
    name: str
    range: Range
    tags: list[str] = []


@env.task
async def describe(job: Job, at: datetime) -> str:
    zone = at.tzinfo == UTC
    return f"{type(job).__name__} {job.name} {job.range.low}-{job.range.high} {zone}"


@env.task
async def append(items: list[int]) -> list[int]:
    items.append(4)
    return items


@env.task
async def half(x: float) -> float:
    return x / 2


@env.task
async def main() -> list[str]:
    items = [1, 2, 3]
    longer = await append(items)
    return [
        await describe({"name": "nightly", "range": {"low": 1}}, datetime(2024, 1, 1)),
        f"{items} {longer}",
        f"{await half(3)} {type(await half(4)).__name__}",
    ]


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
