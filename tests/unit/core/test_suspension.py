"""A parent that sleeps: written once, woken once, and never forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.core.actions import FAILURE, NOW, claim, finish, in_generation, running, spec, step, succeeded

from upwell._core.commands import (
    Abort,
    Acknowledge,
    GiveUp,
    LookAgain,
    Reply,
    Resend,
    Run,
    Stop,
    StopChildren,
    Subscribe,
    Suspend,
    TellNow,
    Wake,
)
from upwell._core.decide import decide
from upwell._core.model import ActionRecord, Payload, Status

PARENT = spec(action_id="parent", retries=1)


def suspend(lease_id: str = "lease-1", *, open_children: int = 3, waiting_since: float = NOW) -> Suspend:
    return Suspend(
        lease_id=lease_id, open_children=open_children, waiting_since=waiting_since, task_token="token"
    )


def suspended(**how: float) -> ActionRecord:
    running = decide(None, claim(PARENT), NOW).record
    decision = decide(running, suspend(**how), NOW + 5)  # type: ignore[arg-type]  # a test's shorthand
    assert decision.record is not None
    return decision.record


def woken(record: ActionRecord, now: float) -> ActionRecord:
    decision = decide(record, Wake(), now)
    assert decision.record is not None
    return decision.record


def test_a_suspension_is_written_and_the_journal_looked_at_before_the_message_goes() -> None:
    running = decide(None, claim(PARENT), NOW).record
    decision = decide(running, suspend(), NOW + 5)
    assert decision.record is not None
    assert decision.record.status is Status.SUSPENDED
    assert decision.record.attempts[-1].end == "suspended"
    assert decision.effects == (LookAgain(), Acknowledge())


def test_a_repeated_suspension_writes_nothing_and_looks_again() -> None:
    decision = decide(suspended(), suspend(), NOW + 6)
    assert decision.record is None
    assert decision.effects == (LookAgain(), Acknowledge())


def test_only_the_holder_of_the_lease_can_suspend() -> None:
    running = decide(None, claim(PARENT), NOW).record
    assert decide(running, suspend("another"), NOW + 5).effects == (Stop(),)
    taken_over = decide(suspended(), claim(PARENT, "lease-2"), NOW + 6).record
    assert decide(taken_over, suspend(), NOW + 7).effects == (Stop(),)


def test_the_first_child_wakes_and_the_others_find_it_awake() -> None:
    record = suspended()
    first = decide(record, Wake(), NOW + 10)
    assert first.record is not None
    assert first.record.status is Status.QUEUED
    assert [type(effect) for effect in first.effects] == [Resend]
    second = decide(first.record, Wake(), NOW + 10)
    assert second.record is None
    assert second.effects == ()


def test_a_child_that_tells_its_end_again_sends_the_message_again() -> None:
    record = woken(suspended(), NOW + 10)
    again = decide(record, Wake(again=True), NOW + 10)
    assert again.record is None
    assert [type(effect) for effect in again.effects] == [Resend]


def test_one_open_child_wakes_at_once_and_many_after_a_share_of_the_wait() -> None:
    alone = decide(suspended(open_children=1), Wake(), NOW + 1000)
    assert alone.effects == (Resend(0.0),)
    many = decide(suspended(open_children=1000), Wake(), NOW + 1000)
    assert many.effects == (Resend(50.0),)
    ages = decide(suspended(open_children=1000), Wake(), NOW + 1_000_000)
    assert ages.effects == (Resend(900.0),)


def test_a_resumed_attempt_keeps_its_number_and_a_retry_gets_the_next() -> None:
    resumed = decide(woken(suspended(open_children=1), NOW + 10), claim(PARENT, "lease-2"), NOW + 10).record
    assert resumed is not None
    assert resumed.attempt == 1
    assert resumed.suspension is not None
    assert resumed.suspension.count == 1
    retried = decide(resumed, finish(FAILURE, "lease-2"), NOW + 20).record
    assert retried is not None
    third = decide(retried, claim(PARENT, "lease-3"), NOW + 20)
    assert third.record is not None
    assert third.record.attempt == 2
    assert third.effects == (Run(),)


def test_nobody_is_woken_who_does_not_sleep() -> None:
    running = decide(None, claim(PARENT), NOW).record
    assert running is not None
    assert decide(None, Wake(), NOW) == decide(running, Wake(again=True), NOW)
    assert decide(running, Wake(again=True), NOW).effects == ()
    ended = decide(running, finish(), NOW + 1).record
    assert decide(ended, Wake(again=True), NOW + 2).effects == ()


@pytest.mark.parametrize("record", [suspended(), woken(suspended(open_children=1), NOW + 6)])
def test_a_dead_letter_of_one_that_sleeps_or_was_woken_does_not_fail_it(record: ActionRecord) -> None:
    """It is sent anew: an executor that died before the children knew left nothing but this message."""
    decision = decide(record, GiveUp(spec=PARENT, reason="too often"), NOW + 6)
    assert decision.record is None
    assert decision.effects == (Resend(0.0), Acknowledge())


def test_the_token_of_the_acknowledged_message_is_kept() -> None:
    record = suspended()
    assert record.suspension is not None
    assert record.suspension.task_token == "token"
    newer = decide(record, claim(replace(PARENT, run=replace(PARENT.run, generation=2)), "l2"), NOW + 9).record
    assert newer is not None
    assert newer.suspension is None


def test_what_ends_a_sleeping_parent_ends_its_children() -> None:
    decision = decide(suspended(), Abort(spec=PARENT, reason="enough"), NOW + 9)
    assert StopChildren() in decision.effects


# --- children that did not know, when they were called, that their parent would sleep

ASKED = replace(spec(), inputs=Payload(size_bytes=2), shard=3)
"""A child as its parent knows it: without inputs."""


def wakes(record: ActionRecord | None) -> list[bool]:
    """Whether each reply of an action that ends now wakes its parent."""
    return [effect.wakes for effect in decide(record, finish(), NOW).effects if isinstance(effect, Reply)]


def test_a_child_that_was_asked_wakes_its_parent_and_one_that_was_not_does_not() -> None:
    assert wakes(running()) == [False]
    assert wakes(step(running(), Subscribe(spec=ASKED))) == [True]


def test_one_that_is_asked_before_its_claim_takes_the_rest_from_its_message() -> None:
    noted = step(None, Subscribe(spec=ASKED))
    assert noted.status is Status.QUEUED
    claimed = step(noted, claim(replace(spec(), shard=2)))
    assert claimed.spec == replace(spec(), shard=2, parent_sleeps=True)
    assert claimed.attempt == 1
    assert wakes(claimed) == [True]


def test_one_that_is_asked_before_its_claim_can_still_be_too_late() -> None:
    noted = step(None, Subscribe(spec=ASKED))
    late = step(noted, claim(spec(max_queued_s=1)), NOW + 5)
    assert late.status is Status.TIMED_OUT


def test_an_end_that_is_told_again_wakes_again() -> None:
    ended = step(step(running(), Subscribe(spec=ASKED)), finish())
    replies = [e for e in decide(ended, claim(spec(), "lease-2"), NOW).effects if isinstance(e, Reply)]
    assert [reply.wakes for reply in replies] == [True]


def test_one_that_has_ended_says_so_and_nobody_is_asked_twice() -> None:
    assert decide(succeeded(), Subscribe(spec=ASKED), NOW).effects == (TellNow(),)
    asked = step(running(), Subscribe(spec=ASKED))
    assert decide(asked, Subscribe(spec=ASKED), NOW).record is None


def test_a_finish_that_lost_the_race_to_the_question_wakes() -> None:
    seen = running()
    asked = step(seen, Subscribe(spec=ASKED))
    assert asked.version == seen.version + 1  # so the finish, decided on `seen`, is refused and decided anew
    assert wakes(asked) == [True]


def test_a_parent_of_a_newer_generation_takes_the_child_of_an_older_one() -> None:
    asked = step(running(), Subscribe(spec=in_generation(ASKED, 2)))
    assert (asked.status, asked.generation) == (Status.QUEUED, 2)
    assert Stop() in decide(asked, finish(), NOW).effects
    claimed = step(asked, claim(in_generation(spec(), 2), "lease-2"))
    assert claimed.spec == replace(in_generation(spec(), 2), parent_sleeps=True)
    assert decide(claimed, Subscribe(spec=ASKED), NOW).record is None  # the older generation has no say


def test_what_a_person_should_know_is_on_the_attempt() -> None:
    asleep = step(running(PARENT), replace(suspend(), note="in the middle"))
    assert asleep.attempts[-1].note == "in the middle"
    assert step(asleep, claim(PARENT, "lease-2"), NOW + 1).attempts[-1].note == ""
