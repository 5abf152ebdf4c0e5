"""Bounds that pass while nobody runs an action: when they are due, and what `TimeOut` does in each state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.core.actions import (
    FAILURE,
    LEASE_S,
    NOW,
    claim,
    finish,
    in_generation,
    kinds,
    running,
    spec,
    step,
    succeeded,
)

from upwell._core.bounds import due_at
from upwell._core.children import unclaimed
from upwell._core.commands import Acknowledge, Release, Reply, StopChildren, Suspend, TimeOut, Wake
from upwell._core.decide import decide
from upwell._core.model import ActionRecord, ActionSpec, Status

DEADLINE, QUEUED = {"deadline_s": 100.0}, {"max_queued_s": 20.0}
SUSPEND = Suspend(lease_id="lease-1", open_children=1, waiting_since=NOW)


def action(**bounds: Any) -> ActionSpec:
    return spec(retries=3, base_s=10.0, **bounds)


def suspended(of: ActionSpec) -> ActionRecord:
    return step(running(of), SUSPEND, NOW + 6)


STATES: dict[str, Callable[[ActionSpec], ActionRecord | None]] = {
    "new": lambda of: None,
    "running": running,
    "retrying": lambda of: step(running(of), finish(FAILURE), NOW + 5),
    "released": lambda of: step(running(of), Release(lease_id="lease-1"), NOW + 5),
    "suspended": suspended,
    "woken": lambda of: step(suspended(of), Wake(), NOW + 8),
    "succeeded": succeeded,
}
DUE_S: dict[str, dict[str, float | None]] = {
    "new": {"deadline": 100, "max queued": 20, "both": 20},
    "running": {"deadline": 100, "max queued": None, "both": 100},
    "retrying": {"deadline": 100, "max queued": 5 + 10 + 20, "both": 5 + 10 + 20},
    "released": {"deadline": 100, "max queued": 5 + 20, "both": 5 + 20},
    "suspended": {"deadline": 100, "max queued": None, "both": 100},
    "woken": {"deadline": 100, "max queued": None, "both": 100},
}
BOUNDS: dict[str, dict[str, float]] = {
    "deadline": DEADLINE,
    "max queued": QUEUED,
    "both": DEADLINE | QUEUED,
    "none": {},
}


def record_in(state: str, of: ActionSpec) -> ActionRecord:
    return STATES[state](of) or unclaimed(of)


@pytest.mark.parametrize("state", DUE_S)
@pytest.mark.parametrize("bounds", BOUNDS)
def test_the_first_bound_that_runs_says_when_an_action_is_due(state: str, bounds: str) -> None:
    due_s = DUE_S[state].get(bounds)
    due = due_at(record_in(state, action(**BOUNDS[bounds])))
    assert due == (None if due_s is None else NOW + due_s)


@pytest.mark.parametrize("state", DUE_S)
@pytest.mark.parametrize("bounds", ["deadline", "max queued", "both"])
def test_what_is_due_is_ended_then_and_not_before(state: str, bounds: str) -> None:
    of = action(**BOUNDS[bounds])
    due_s = DUE_S[state][bounds]
    if due_s is None:
        assert decide(STATES[state](of), TimeOut(spec=of), NOW + 1e6).record is None
        return
    assert decide(STATES[state](of), TimeOut(spec=of), NOW + due_s) == decide(None, TimeOut(spec=spec()), NOW)
    decision = decide(STATES[state](of), TimeOut(spec=of), NOW + due_s + 1)
    assert decision.record is not None
    assert decision.record.status is Status.TIMED_OUT
    ends = [Reply, Acknowledge] if state == "new" else [StopChildren, Reply, Acknowledge]
    assert kinds(decision) == ends
    assert decision.record.outcome is not None
    assert decision.record.outcome.error is not None
    code = "DeadlineExceededError" if due_s == 100 else "MaxQueuedTimeExceededError"
    assert decision.record.outcome.error.code == code


def test_who_holds_an_action_keeps_to_its_bounds_itself() -> None:
    of = action(deadline_s=10.0)
    held = running(of)
    assert decide(held, TimeOut(spec=of), NOW + LEASE_S - 1).record is None
    late = decide(held, TimeOut(spec=of), NOW + LEASE_S + 1)
    assert late.record is not None, "its lease has run out, and nobody else may ever come"
    assert late.record.status is Status.TIMED_OUT


def test_an_end_is_told_again_and_never_changed() -> None:
    done = succeeded(action(**DEADLINE))
    decision = decide(done, TimeOut(spec=action(**DEADLINE)), NOW + 1000)
    assert decision.record is None
    assert kinds(decision) == [Reply, Acknowledge]


def test_an_older_generation_times_nothing_out() -> None:
    newer = in_generation(action(**DEADLINE), 2)
    assert decide(running(newer), TimeOut(spec=action(**DEADLINE)), NOW + 1000).record is None


def test_a_newer_generation_times_out_what_an_older_one_left() -> None:
    older = running(action(**DEADLINE))
    newer = replace(in_generation(action(**DEADLINE), 2), queued_at=NOW + 500)
    assert decide(older, TimeOut(spec=newer), NOW + 599).record is None
    decision = decide(older, TimeOut(spec=newer), NOW + 601)
    assert decision.record is not None
    assert (decision.record.status, decision.record.generation) == (Status.TIMED_OUT, 2)


def test_a_timeout_that_lost_the_race_against_a_claim_ends_nothing() -> None:
    of = action(**QUEUED)
    assert decide(None, TimeOut(spec=of), NOW + 21).record is not None
    claimed = step(None, claim(of, now=NOW + 19), NOW + 19)
    assert decide(claimed, TimeOut(spec=of), NOW + 21).record is None


def test_the_task_token_of_the_message_is_kept_for_later_ones() -> None:
    first = step(None, replace(claim(spec()), task_token="token"))
    retried = step(first, finish(FAILURE))
    assert (first.task_token, retried.task_token) == ("token", "token")
    woken = step(suspended(spec(retries=1)), claim(spec(retries=1), "lease-2"), NOW + 9)
    assert woken.task_token is None
