"""How often a process collects garbage while a local run lasts."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.exec.engine import engine

import upwell
from upwell._local.garbage import DEFAULT, WHILE_RUNNING, rarer_collections

env = upwell.TaskEnvironment("garbage")


@env.task
async def thresholds() -> list[int]:
    return list(gc.get_threshold())


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*DEFAULT)
    yield
    gc.set_threshold(*before)


async def test_a_run_collects_less_often_and_puts_the_thresholds_back(tmp_path: Path) -> None:
    async with engine(tmp_path) as here:
        assert (await here.run(thresholds)).unwrap() == list(WHILE_RUNNING)
    assert gc.get_threshold() == DEFAULT


async def test_thresholds_of_the_program_are_left_alone(tmp_path: Path) -> None:
    gc.set_threshold(5000, 5, 5)
    async with engine(tmp_path) as here:
        assert (await here.run(thresholds)).unwrap() == [5000, 5, 5]
    assert gc.get_threshold() == (5000, 5, 5)


def test_the_last_of_several_runs_puts_them_back() -> None:
    with rarer_collections():
        with rarer_collections():
            pass
        assert gc.get_threshold() == WHILE_RUNNING
    assert gc.get_threshold() == DEFAULT
