"""A fan-out replays as often as the logarithm of the time that it takes says, however many children it has."""

from __future__ import annotations

import math

import pytest
from bench.replays import measure

from upwell._core.outside import SHARE_OF_WAIT

CHILD_S = 2000.0
"""Children end between half of this and all of it."""
REPLAYS_MAX = 1 + math.log(2) / math.log(1 + SHARE_OF_WAIT)


def test_replays_are_bounded_by_how_long_children_take_not_by_their_number() -> None:
    figures = measure("local", 150, CHILD_S)
    assert 2 <= figures["replays"] <= REPLAYS_MAX
    assert figures["losses"] == 0


@pytest.mark.slow
def test_a_fan_out_larger_than_the_window_takes_few_windows() -> None:
    figures = measure("local", 1200, 60.0)
    assert 1 <= figures["replays"] <= 5


@pytest.mark.slow
def test_it_replays_as_often_on_another_store() -> None:
    assert measure("moto", 10, 60.0)["replays"] == measure("local", 10, 60.0)["replays"]
