from __future__ import annotations

import pytest
from bench.flows import chain, echo, fan_out, warm_chain, warm_fan_out
from bench.latency import AFTER, BEFORE, GOALS, UNIT_S, model, one_each, round_trips, typical_s

LITTLE = 0.1
"""Polls of the parent pass between two requests, and take a little time."""


@pytest.mark.parametrize(("kind", "flow"), [("apart", chain), ("together", warm_chain)])
def test_a_hop_takes_no_more_round_trips_in_a_row_than_its_goal(kind: str, flow: object) -> None:
    # Send, receive, claim, finish; apart, the journal and the parent's look as well.
    one, many = (round_trips(flow, hops) for hops in (1, 6))  # type: ignore[arg-type]  # a task
    assert (many - one) / 5 == pytest.approx(GOALS[kind], abs=LITTLE)


def test_a_single_action_is_received_claimed_and_finished_and_its_end_is_told() -> None:
    found = model(one_each, echo, 1, poll_s=UNIT_S)
    assert found.engine_s == pytest.approx(4 * UNIT_S)
    assert found.platform_s == pytest.approx((len(BEFORE) + len(AFTER)) * UNIT_S)


def test_a_fan_out_takes_as_many_round_trips_in_a_row_as_one_call() -> None:
    for wide, alone in ((fan_out, chain), (warm_fan_out, warm_chain)):
        assert round_trips(wide, 10) == pytest.approx(round_trips(alone, 1), abs=LITTLE)


def test_the_modelled_time_of_a_single_action_is_the_sum_of_what_its_requests_take() -> None:
    found = model(typical_s, echo, 1, poll_s=None)
    # Receive 15, claim 4, finish 4, SendTaskSuccess 25; StartExecution 25, put 4, send 15, update 4, get 4.
    assert found.engine_s * 1000 == pytest.approx(15 + 4 + 4 + 25)
    assert found.platform_s * 1000 == pytest.approx(25 + 4 + 15 + 4 + 4)
