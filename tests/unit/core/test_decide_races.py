"""Leases, generations, retries and bounds: who may do what to an action, and when."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.core.actions import (
    BOOM,
    FAILURE,
    LEASE_S,
    LOSS,
    NOW,
    claim,
    failed,
    finish,
    kinds,
    retrying,
    running,
    spec,
    step,
    succeeded,
)

from upwell._core.commands import (
    Abort,
    Acknowledge,
    Decision,
    Extend,
    GiveUp,
    Lose,
    Postpone,
    Release,
    Remember,
    Reply,
    Resend,
    Run,
)
from upwell._core.decide import decide
from upwell._core.model import (
    ATTEMPTS_KEPT,
    ActionKey,
    ActionRecord,
    ErrorInfo,
    Lease,
    Outcome,
    RetryPolicy,
    Status,
)
from upwell._core.retry import retry_delay_s

# --- leases ---


def taken_over() -> ActionRecord:
    """An action whose first executor was lost, and which a second one runs."""
    return step(running(), claim(spec(), "lease-2", now=NOW + LEASE_S), NOW + LEASE_S)


def test_a_late_finish_from_an_expired_lease_is_ignored() -> None:
    decision = decide(taken_over(), finish(lease_id="lease-1"), NOW + LEASE_S + 1)
    assert decision.record is None
    assert Reply not in kinds(decision)


def test_a_finish_after_the_lease_expired_counts_as_long_as_nobody_took_over() -> None:
    assert step(running(), finish(), NOW + 10 * LEASE_S).status is Status.SUCCEEDED


def test_a_lost_executor_is_counted_apart_from_failures() -> None:
    record = taken_over()
    assert (record.losses, record.failures, record.attempt) == (1, 0, 2)
    assert record.attempts[0].end == "lost"


def test_a_failure_is_counted_apart_from_losses() -> None:
    record = retrying()
    assert (record.losses, record.failures) == (0, 1)
    assert record.attempts[0].end == "failed"
    assert record.attempts[0].error == BOOM


def test_a_release_counts_as_neither() -> None:
    record = step(running(), Release(lease_id="lease-1"))
    assert (record.losses, record.failures) == (0, 0)


def test_an_extension_moves_the_end_of_the_lease() -> None:
    extended = step(running(), Extend(lease=Lease(id="lease-1", expires_at=NOW + 90)))
    other = decide(extended, claim(spec(), "lease-2", now=NOW + LEASE_S), NOW + LEASE_S)
    assert other.effects == (Postpone(60.0),)


@pytest.mark.parametrize("record", [None, running(), failed()])
def test_a_claim_that_comes_after_its_own_lease_does_nothing(record: ActionRecord | None) -> None:
    late = claim(spec(), "lease-2", now=NOW)
    assert decide(record, late, NOW + LEASE_S) == Decision(None)


def test_a_claim_that_was_written_is_known_after_its_lease() -> None:
    assert decide(running(), claim(spec(), "lease-1"), NOW + LEASE_S).effects == (Run(),)


def test_a_copy_of_the_message_waits_for_the_rest_of_the_lease() -> None:
    assert decide(running(), claim(spec(), "lease-2"), NOW + 10).effects == (Postpone(20.0),)


def test_the_action_fails_when_it_has_lost_too_many_executors() -> None:
    record, now = running(), NOW
    for n in range(2, 5):
        now += LEASE_S
        record = step(record, claim(spec(), f"lease-{n}", now=now, max_losses=2), now)
    assert record.status is Status.FAILED
    assert record.losses == 3
    assert record.outcome is not None
    assert record.outcome.error is not None
    assert record.outcome.error.kind == "system"
    assert "lost 3 executors" in record.outcome.error.message
    assert "of lease-3" in record.outcome.error.message


def test_only_the_latest_attempts_are_kept_and_their_numbers_go_on() -> None:
    record, now = running(), NOW
    for n in range(ATTEMPTS_KEPT + 5):
        now += LEASE_S
        record = step(record, claim(spec(), f"again-{n}", now=now, max_losses=1000), now)
    assert len(record.attempts) == ATTEMPTS_KEPT
    assert record.attempt == ATTEMPTS_KEPT + 6


# --- generations ---


def test_a_recovery_begins_again_with_its_own_retries() -> None:
    gave_up = step(running(spec(retries=0)), finish(FAILURE))
    record = step(gave_up, claim(spec(generation=2, retries=1), "lease-2"))
    assert (record.status, record.generation, record.failures) == (Status.RUNNING, 2, 0)
    assert record.outcome is None
    assert record.ended_at is None
    assert step(record, finish(FAILURE, "lease-2")).status is Status.QUEUED


def test_a_recovery_does_not_wait_for_a_lease_of_the_old_generation() -> None:
    record = step(running(), claim(spec(generation=2), "lease-2"), NOW + 1)
    assert record.lease is not None
    assert record.lease.id == "lease-2"
    assert record.attempts[0].end == "lost"
    assert record.losses == 0


def test_a_recovery_does_not_wait_for_a_backoff_of_the_old_generation() -> None:
    assert step(retrying(base_s=1000), claim(spec(generation=2), "lease-2")).status is Status.RUNNING


def test_a_recovery_gets_a_success_as_it_is_and_hears_of_it() -> None:
    decision = decide(succeeded(), claim(spec(generation=2), "lease-2"), NOW)
    assert decision.record is None
    assert kinds(decision) == [Reply, Acknowledge]


@pytest.mark.parametrize("end", [finish(lease_id="lease-1"), Release(lease_id="lease-1")])
def test_an_executor_of_the_old_generation_changes_nothing(end: object) -> None:
    record = step(running(), claim(spec(generation=2), "lease-2"))
    assert decide(record, end, NOW).record is None  # type: ignore[arg-type]  # both are commands


@pytest.mark.parametrize("record", [running(spec(generation=2)), failed(spec(generation=2))])
def test_a_message_of_the_old_generation_is_dropped(record: ActionRecord) -> None:
    now = NOW + 10 * LEASE_S
    decision = decide(record, claim(spec(), "lease-2", now=now), now)
    assert decision.record is None
    assert decision.effects == (Acknowledge(),)


@pytest.mark.parametrize("command", [Abort(spec=spec(), reason="r"), GiveUp(spec=spec(), reason="r")])
def test_the_old_generation_cannot_end_what_the_new_one_runs(command: Abort | GiveUp) -> None:
    decision = decide(running(spec(generation=2)), command, NOW)
    assert decision.record is None
    assert decision.effects == (Acknowledge(),)


@pytest.mark.parametrize("record", [running(), retrying(), failed()])
@pytest.mark.parametrize("kind", [Abort, GiveUp])
def test_what_the_new_generation_ended_is_not_brought_back_by_its_message(
    record: ActionRecord, kind: type[Abort] | type[GiveUp]
) -> None:
    ended = step(record, kind(spec=spec(generation=2), reason="r"))
    assert ended.status.is_terminal
    assert ended.generation == 2
    late = decide(ended, claim(spec(generation=2), "lease-2"), NOW + 10 * LEASE_S)
    assert late.record is None
    assert Run not in kinds(late)


def test_a_success_of_the_old_generation_survives_an_abort_of_the_new_one() -> None:
    decision = decide(succeeded(), Abort(spec=spec(generation=2), reason="r"), NOW)
    assert decision.record is None


# --- retries ---


def test_a_retry_is_sent_anew_after_its_backoff_and_not_claimed_before() -> None:
    decision = decide(running(spec(retries=1, base_s=10)), finish(FAILURE), NOW + 5)
    assert decision.effects == (Resend(10.0), Acknowledge())
    early = decide(decision.record, claim(spec(), "lease-2"), NOW + 8)
    assert early.effects == (Postpone(7.0),)
    assert step(decision.record, claim(spec(), "lease-2"), NOW + 15).status is Status.RUNNING


def test_the_error_of_the_last_attempt_is_the_outcome() -> None:
    last = Outcome(status=Status.FAILED, error=ErrorInfo(code="KeyError", message="last"))
    record = step(retrying(retries=1), claim(spec(retries=1), "lease-2"), NOW + 10)
    ended = step(record, finish(last, "lease-2"), NOW + 11)
    assert ended.outcome == last
    assert ended.failures == 2


def test_what_cannot_be_recovered_from_is_not_retried() -> None:
    fatal = Outcome(status=Status.FAILED, error=ErrorInfo(code="X", message="m", recoverable=False))
    assert step(running(spec(retries=5)), finish(fatal)).status is Status.FAILED


def test_a_retry_that_would_begin_after_the_deadline_is_left_out() -> None:
    assert step(running(spec(retries=5, base_s=60, deadline_s=50)), finish(FAILURE)).status is Status.FAILED


@pytest.mark.parametrize(
    ("failures", "delay_s"), [(1, 10.0), (2, 20.0), (3, 40.0), (4, 60.0), (5, 60.0), (6, None)]
)
def test_backoff_grows_by_its_factor_up_to_its_cap(failures: int, delay_s: float | None) -> None:
    policy = RetryPolicy(count=5, base_s=10, factor=2, cap_s=60)
    assert retry_delay_s(policy, failures, BOOM) == delay_s


# --- bounds ---


def test_a_claim_after_max_queued_time_ends_the_action() -> None:
    record = step(None, claim(spec(max_queued_s=10)), NOW + 11)
    assert record.status is Status.TIMED_OUT
    assert record.outcome is not None
    assert record.outcome.error is not None
    assert record.outcome.error.code == "MaxQueuedTimeExceededError"
    assert step(None, claim(spec(max_queued_s=10)), NOW + 10).status is Status.RUNNING


def test_a_claim_after_the_deadline_ends_the_action_even_if_an_executor_was_lost() -> None:
    action = spec(deadline_s=LEASE_S)
    now = NOW + LEASE_S + 1
    record = step(running(action), claim(action, "lease-2", now=now), now)
    assert record.status is Status.TIMED_OUT
    assert record.losses == 1


def test_an_attempt_that_ran_too_long_ends_as_timed_out() -> None:
    assert step(running(), finish(Outcome(status=Status.TIMED_OUT, error=BOOM))).status is Status.TIMED_OUT


def test_an_attempt_that_ran_too_long_is_retried() -> None:
    late = finish(Outcome(status=Status.TIMED_OUT, error=BOOM))
    record = step(running(spec(retries=1)), late)
    assert (record.status, record.failures) == (Status.QUEUED, 1)


# --- dead letters, the cache ---


def test_a_dead_letter_of_a_running_action_goes_on_watching_it() -> None:
    decision = decide(running(), GiveUp(spec=spec(), reason="r"), NOW + 10)
    assert decision.effects == (Resend(20.0), Acknowledge())


def test_a_dead_letter_of_an_action_that_waits_for_its_retry_is_sent_again_for_then() -> None:
    decision = decide(retrying(base_s=10), GiveUp(spec=spec(), reason="r"), NOW + 4)
    assert decision.effects == (Resend(6.0), Acknowledge())


def test_an_output_is_remembered_before_anybody_hears_of_it() -> None:
    assert kinds(decide(running(spec(cache_key="k")), finish(), NOW)) == [Remember, Reply, Acknowledge]


def test_a_failure_is_never_remembered() -> None:
    assert Remember not in kinds(decide(running(spec(cache_key="k")), finish(FAILURE), NOW))


def test_an_action_that_ends_with_a_kept_result_says_where_it_came_from_and_keeps_it_no_second_time() -> None:
    made_by = ActionKey("other", "a")
    found = replace(finish(), cached_from=made_by, cached_at=1.0)
    decision = decide(running(spec(cache_key="k")), found, NOW)
    assert decision.record is not None
    assert (decision.record.cached_from, decision.record.cached_at) == (made_by, 1.0)
    assert kinds(decision) == [Reply, Acknowledge]


def test_calls_that_the_cache_answered_are_counted_and_never_fewer() -> None:
    record = step(running(), Extend(lease=Lease(id="lease-1", expires_at=NOW + 9), hits={"t": 3, "u": 1}))
    ended = step(record, replace(finish(), hits={"t": 2, "v": 4}))
    assert ended.hits == {"t": 3, "u": 1, "v": 4}


def test_an_action_whose_process_dies_again_and_again_fails_with_the_cause() -> None:
    record: ActionRecord | None = None
    for n in range(3):
        record = decide(record, claim(spec(), f"lease-{n}"), NOW + n).record
        lost = decide(record, Lose(lease_id=f"lease-{n}", error=LOSS, max_losses=2), NOW + n + 0.5)
        record = lost.record
    assert record is not None
    assert record.status is Status.FAILED
    assert record.losses == 3
    assert record.failures == 0
    assert record.outcome is not None
    assert record.outcome.error is not None
    assert record.outcome.error.kind == "system"
    assert "killed by SIGSEGV" in record.outcome.error.message
    assert {attempt.end for attempt in record.attempts} == {"lost"}
