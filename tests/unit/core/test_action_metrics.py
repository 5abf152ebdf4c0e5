"""What a change of an action counts as."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.core.actions import FAILURE, LEASE_S, NOW, claim, failed, finish, retrying, running, spec, step

from upwell._core.action_metrics import counted
from upwell._core.commands import Abort, Suspend, Wake
from upwell._core.metrics import Metric
from upwell._core.model import ActionRecord, ActionSpec


def of(before: ActionRecord | None, after: ActionRecord) -> dict[Metric, float]:
    return dict(counted(before, after))


def test_a_claim_tells_how_long_its_action_waited() -> None:
    assert of(None, running(spec(queued_at=NOW - 4), now=NOW)) == {Metric.QUEUE_TO_START: 4.0}


def test_a_clock_that_is_behind_makes_no_negative_wait() -> None:
    assert of(None, running(spec(queued_at=NOW + 4), now=NOW)) == {Metric.QUEUE_TO_START: 0.0}


def test_an_end_counts_once_by_its_outcome() -> None:
    begun = running()
    ended = step(begun, finish())
    assert of(begun, ended) == {Metric.ACTIONS_SUCCEEDED: 1}
    assert of(ended, replace(ended, version=9)) == {}
    assert of(begun, step(begun, finish(FAILURE))) == {Metric.ACTIONS_FAILED: 1}


def test_an_action_that_ends_before_anybody_had_it_counts() -> None:
    action: ActionSpec = spec()
    aborted = step(None, Abort(spec=action, reason="no"))
    assert of(None, aborted) == {Metric.ACTIONS_ABORTED: 1}


def test_a_heartbeat_counts_as_nothing() -> None:
    begun = running()
    assert of(begun, replace(begun, version=2)) == {}


def test_an_attempt_that_failed_and_is_tried_again_is_no_end_and_waits_from_its_backoff() -> None:
    begun = running(spec(retries=1, base_s=10.0))
    again = retrying(base_s=10.0)
    assert of(begun, again) == {}
    later = again.not_before + 2
    assert of(again, step(again, claim(spec(retries=3), "lease-2", now=later), later)) == {
        Metric.QUEUE_TO_START: 2.0
    }


def test_a_lost_executor_counts_with_the_claim_that_finds_it() -> None:
    begun = running()
    later = NOW + LEASE_S + 3
    counts = of(begun, step(begun, claim(spec(), "lease-2", now=later), later))
    assert counts[Metric.SYSTEM_LOSSES] == 1
    assert Metric.QUEUE_TO_START in counts


def test_a_parent_that_goes_on_has_waited_for_its_children_and_not_in_the_queue() -> None:
    begun = running()
    asleep = step(begun, Suspend(lease_id="lease-1", open_children=1, waiting_since=NOW))
    woken = step(asleep, Wake(again=False), NOW + 500)
    on = step(woken, claim(spec(), "lease-2", now=NOW + 501), NOW + 501)
    assert len(on.attempts) == 2
    assert of(woken, on) == {}


def test_a_recovery_counts_no_losses_twice() -> None:
    assert of(replace(failed(), losses=3), replace(running(), losses=0)) == {}
