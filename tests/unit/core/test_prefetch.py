"""How many messages a worker receives ahead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upwell._core.prefetch import PAUSE_S, SOON_S, Pace, ahead


@pytest.mark.parametrize(
    ("slots", "run_s", "receive_s", "held"),
    [
        (1, 0.001, 0.015, 10),  # as many as a request brings
        (1, 0.005, 0.015, 3),  # what is done while a request is under way
        (4, 0.005, 0.005, 4),
        (1, 0.02, 0.015, 0),  # the next request is quicker than the action
        (8, 0.1, 0.05, 4),
        (2, 60.0, 0.015, 0),  # long ones are for whoever is free
        (500, 1.0, 0.0005, 0),  # a queue in memory is asked when a slot is free
    ],
)
def test_ahead(slots: int, run_s: float, receive_s: float, held: int) -> None:
    assert ahead(Pace().ran(run_s).received(receive_s), slots=slots, now=0.0) == held


def test_nothing_is_held_before_something_was_measured_and_after_something_was_given_back() -> None:
    measured = Pace().ran(0.001).received(0.015)
    assert ahead(Pace(), slots=4, now=0.0) == ahead(Pace().ran(0.001), slots=4, now=0.0) == 0
    paused = measured.gave_back(100.0)
    assert ahead(paused, slots=4, now=100.0 + PAUSE_S - 1) == 0
    assert ahead(paused, slots=4, now=100.0 + PAUSE_S) == 10


def test_a_request_that_waited_for_messages_does_not_count_as_slow() -> None:
    assert Pace().received(15.0).received(0.01).received(20.0).receive_s == pytest.approx(0.0102)


durations = st.floats(0, 1000)


@given(st.integers(1, 500), st.lists(durations, min_size=1), st.lists(durations, min_size=1))
def test_what_is_held_starts_soon(slots: int, runs: list[float], requests: list[float]) -> None:
    pace = Pace()
    for run_s in runs:
        pace = pace.ran(run_s)
    for receive_s in requests:
        pace = pace.received(receive_s)
    held = ahead(pace, slots=slots, now=0.0)
    assert 0 <= held <= 10
    assert held * (pace.run_s or 0.0) / slots <= SOON_S * (1 + 1e-9)
