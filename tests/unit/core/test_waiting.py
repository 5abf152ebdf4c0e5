"""An action whose place is not free, and one whose result another one computed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.unit.core.actions import (
    LEASE_S,
    NOW,
    OUTPUT,
    SUCCESS,
    claim,
    kinds,
    released,
    retrying,
    running,
    spec,
    step,
    succeeded,
)

from upwell._core.commands import Abort, Acknowledge, Effect, Finish, Postpone, Reply, Resend, Suspend
from upwell._core.decide import WAITS_PER_MESSAGE, decide
from upwell._core.limits import SQS_RECEIVES_MAX
from upwell._core.model import ActionKey, ActionRecord, Status

WAIT_S = 1.5
Given = Callable[[], ActionRecord | None]


def suspended() -> ActionRecord:
    return step(running(), Suspend(lease_id="lease-1", open_children=1, waiting_since=NOW))


@pytest.mark.parametrize("given", [lambda: None, released, suspended, lambda: retrying(base_s=0)])
def test_where_it_could_begin_its_message_is_hidden_again_and_nothing_is_written(given: Given) -> None:
    decision = decide(given(), replace(claim(spec(retries=3), "lease-2"), wait_s=WAIT_S), NOW)
    assert decision.record is None
    assert decision.effects == (Postpone(WAIT_S),)


def test_a_message_that_was_hidden_often_is_sent_anew() -> None:
    often = replace(claim(spec(), "lease-2"), wait_s=WAIT_S, received=WAITS_PER_MESSAGE)
    assert decide(None, often, NOW).effects == (Resend(WAIT_S), Acknowledge())
    less = replace(often, received=WAITS_PER_MESSAGE - 1)
    assert decide(None, less, NOW).effects == (Postpone(WAIT_S),)
    assert WAITS_PER_MESSAGE < SQS_RECEIVES_MAX


def test_a_lost_action_waits_with_its_loss_not_counted_yet() -> None:
    now = NOW + LEASE_S
    decision = decide(running(), replace(claim(spec(), "lease-2", now=now), wait_s=WAIT_S), now)
    assert decision.record is None
    assert decision.effects == (Postpone(WAIT_S),)
    assert step(running(), claim(spec(), "lease-2", now=now), now).losses == 1


OTHERWISE: dict[str, tuple[Given, list[type[Effect]]]] = {
    "running": (running, [Postpone]),
    "backoff": (retrying, [Postpone]),
    "succeeded": (succeeded, [Reply, Acknowledge]),
    "aborted before": (lambda: step(None, Abort(spec=spec(), reason="r")), [Reply, Acknowledge]),
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_where_it_could_not_begin_waiting_changes_nothing(case: str) -> None:
    given, effects = OTHERWISE[case]
    waiting = decide(given(), replace(claim(spec(), "lease-2"), wait_s=WAIT_S), NOW)
    assert kinds(waiting) == effects
    assert waiting == decide(given(), claim(spec(), "lease-2"), NOW)


@pytest.mark.parametrize("bound", ["max_queued_s", "deadline_s"])
def test_an_action_that_waits_for_too_long_times_out(bound: str) -> None:
    waiting = replace(claim(spec(**{bound: 5.0}), "lease-2"), wait_s=WAIT_S)
    assert decide(None, waiting, NOW + 4).record is None
    record = step(None, waiting, NOW + 6)
    assert record.status is Status.TIMED_OUT


def test_a_result_found_while_waiting_is_noted_as_such_and_not_kept_again() -> None:
    origin = ActionKey("other", "a1")
    action = spec(cache_key="k")
    decision = decide(running(action), Finish(lease_id="lease-1", outcome=SUCCESS, cached_from=origin), NOW)
    assert decision.record is not None
    assert decision.record.cached_from == origin
    assert decision.record.outcome is not None
    assert decision.record.outcome.output == OUTPUT
    assert kinds(decision) == [Reply, Acknowledge]
    again = decide(decision.record, claim(action, "lease-2"), NOW)
    assert kinds(again) == [Reply, Acknowledge]
