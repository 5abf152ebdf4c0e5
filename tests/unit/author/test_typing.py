"""What a type checker sees: mypy reads this file, and the lines marked `wrong` must be errors to it."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import assert_type

import pytest
from mypy import api

import upwell

env = upwell.TaskEnvironment("typed")


@env.task
async def name_of(x: int) -> str:
    return str(x)


@env.task(retries=3)
def scale(x: int, by: float = 1.0) -> float:
    return x * by


@upwell.trace
async def fetch(x: int) -> str:
    return str(x)


@upwell.trace
async def stream(x: int) -> AsyncIterator[int]:
    yield x


async def right() -> None:
    assert_type(await name_of(1), str)
    assert_type(await name_of.aio(1), str)
    assert_type(scale(1, by=2), float)
    assert_type(await scale.aio(1), float)
    assert_type(await name_of.override(retries=1)(2), str)
    assert_type(await name_of.forward(1), str)
    assert_type(await fetch(1), str)
    assert_type([x async for x in stream(1)], list[int])
    assert_type(await upwell.map(name_of, [1]), list[str])
    assert_type(await upwell.map(name_of, [1], return_exceptions=True), list[str | Exception])
    assert_type([x async for x in upwell.map(name_of, [1])], list[str | Exception])
    assert_type([x async for x in upwell.map.aio(name_of, [1], return_exceptions=False)], list[str])
    assert_type(list(upwell.map(scale, [1], return_exceptions=False)), list[float])
    assert_type(await upwell.map(functools.partial(scale, by=2.0), [1]), list[float])


async def wrong() -> None:
    await name_of("x")  # wrong
    scale(1, factor=2)  # wrong
    name_of.override(colour="red")  # wrong
    env.clone_with("x", colour="red")  # wrong
    env.task(retrys=3)  # wrong
    await fetch("x")  # wrong


@pytest.mark.timeout(600)  # without its cache mypy reads pydantic first
def test_mypy_agrees() -> None:
    flags = ["--strict", "--follow-imports=silent", "--python-executable", sys.executable]
    report, _, _ = api.run([*flags, __file__])
    mine = re.escape(Path(__file__).name)
    found = {int(line) for line in re.findall(rf"{mine}:(\d+): error", report)}
    source = Path(__file__).read_text().splitlines()
    expected = {number for number, line in enumerate(source, 1) if line.endswith("# wrong")}
    assert found == expected, report
