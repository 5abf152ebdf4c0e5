"""A parent that asks for something else when it replays: on Lambda, where it has slept, it is told so."""

import asyncio
from pathlib import Path

from scenario import NOTES, Observed, Scenario, in_folder, note

import upwell

env = upwell.TaskEnvironment("case-replay-differs")
LONGER_THAN_LINGER_S = 7.0


@env.task
async def numbered(x: int) -> int:
    return x


@env.task
async def slow(folder: str) -> int:
    await asyncio.sleep(LONGER_THAN_LINGER_S if upwell.ctx().mode == "sandbox" else 0)
    return 100


@env.task
async def fickle(folder: str) -> int:
    note(folder, "began")
    times = (Path(folder) / NOTES).read_text().count("began")  # a few bytes
    await numbered(times)
    return await slow(folder)


@env.task
async def steady(folder: str) -> int:
    await numbered(-1)
    return await slow(folder)


@env.task
async def main(folder: str) -> list[int]:
    return await asyncio.gather(fickle(folder), steady(folder))


def check(observed: Observed) -> None:
    (fickle_one,), (steady_one,) = observed.of(fickle), observed.of(steady)
    assert steady_one.warnings == ()
    slept = observed.backend == "sandbox"
    assert [warning.code for warning in fickle_one.warnings] == ["NonDeterminismWarning"] * slept
    for warning in fickle_one.warnings:
        assert "case-replay-differs.numbered got other inputs" in warning.message


SCENARIO = Scenario(main, in_folder, value=[100, 100], check=check)
