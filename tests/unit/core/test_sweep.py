"""What the sweeper finds overdue: nothing that may still happen by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.core.actions import (
    FAILURE,
    LEASE_S,
    NOW,
    SUCCESS,
    claim,
    finish,
    running,
    spec,
    step,
    succeeded,
)

from upwell._core.children import Child, Children
from upwell._core.commands import Subscribe, Suspend, Wake
from upwell._core.journal import Completed, Entry, Missed, Scheduled, Sent
from upwell._core.model import ActionRecord, Bounds, Payload, RunSpec
from upwell._core.sweep import (
    BACKLOG_S,
    NEVER,
    PAUSE_MAX_S,
    Look,
    Remedy,
    Verdict,
    judge,
    judge_child,
    must_wake,
    next_look,
)

PATIENCE_S = 60.0
RUN = RunSpec(run_id="run")


def look(after_s: float, *, before_s: float = 0.0) -> Look:
    return Look(now=NOW + after_s, before=NOW + before_s, patience_s=PATIENCE_S)


def suspended(*, open_children: int = 2) -> ActionRecord:
    """A parent that has slept since NOW + 5."""
    suspend = Suspend(lease_id="lease-1", open_children=open_children, waiting_since=NOW)
    return step(running(spec(deadline_s=5000)), suspend, NOW + 5)


def verdict(record: ActionRecord, when: Look, **circumstances: Any) -> Verdict:
    usual: dict[str, Any] = {"run": RUN, "is_over": False, "waiting": False}
    return judge(record, **{**usual, **circumstances}, look=when)


# --- actions with a record ---

HELD = running(spec(deadline_s=5000))
RETRYING = step(running(spec(retries=3, base_s=100, deadline_s=5000)), finish(FAILURE))
"""To be claimed again from NOW + 100 on."""
WOKEN = step(suspended(), Wake(), NOW + 10)
"""Of two children that were open one has ended: to be claimed from NOW + 10.5 on."""

CASES: dict[str, tuple[ActionRecord, float, Remedy | None]] = {
    "held": (HELD, LEASE_S - 1, None),
    "lease just expired": (HELD, LEASE_S + PATIENCE_S - 1, None),
    "lease long expired": (HELD, LEASE_S + PATIENCE_S, Remedy.SEND),
    "in backoff": (RETRYING, 99, None),
    "backoff just over": (RETRYING, 100 + PATIENCE_S - 1, None),
    "backoff long over": (RETRYING, 100 + PATIENCE_S, Remedy.SEND),
    "just woken": (WOKEN, 10.5 + PATIENCE_S - 1, None),
    "woken long ago": (WOKEN, 10.5 + PATIENCE_S, Remedy.SEND),
    "asleep": (suspended(), 4000, None),
    "asleep past its deadline": (suspended(), 5001, Remedy.TIME_OUT),
    "backoff past its deadline": (RETRYING, 5001, Remedy.TIME_OUT),
    "lost past its deadline": (HELD, 5001, Remedy.TIME_OUT),
    "succeeded": (succeeded(), 9999, None),
}


@pytest.mark.parametrize("case", CASES)
def test_an_action_is_overdue_when_nothing_can_be_expected_to_happen(case: str) -> None:
    record, after_s, remedy = CASES[case]
    assert verdict(record, look(after_s)).remedy is remedy


@pytest.mark.parametrize(
    ("record", "after_s", "next_s"),
    [
        (HELD, 1, LEASE_S + PATIENCE_S),
        (RETRYING, 1, 100 + PATIENCE_S),
        (suspended(), 1, 5000),
        (succeeded(), 1, None),
    ],
)
def test_a_look_says_when_the_next_may_find_something(
    record: ActionRecord, after_s: float, next_s: float | None
) -> None:
    assert verdict(record, look(after_s)).next_at == (NEVER if next_s is None else NOW + next_s)


def test_a_message_is_sent_again_at_growing_intervals() -> None:
    sent_at, before_s = [], 0.0
    for after_s in range(int(LEASE_S), 2000, 10):
        if verdict(HELD, look(after_s, before_s=before_s)).remedy:
            sent_at.append(after_s - LEASE_S)
        before_s = after_s
    assert sent_at == [60, 120, 240, 480, 960, 1920]


def test_where_messages_wait_for_executors_one_may_be_among_them() -> None:
    assert verdict(HELD, look(LEASE_S + BACKLOG_S - 1), waiting=True).remedy is None
    assert verdict(HELD, look(LEASE_S + BACKLOG_S), waiting=True).remedy is Remedy.SEND


@pytest.mark.parametrize("record", [HELD, RETRYING, suspended()])
def test_what_is_open_in_a_run_that_has_ended_is_aborted(record: ActionRecord) -> None:
    assert verdict(record, look(1), is_over=True).remedy is Remedy.ABORT


def test_what_an_older_generation_left_is_aborted_unless_somebody_holds_it() -> None:
    newer = RunSpec(run_id="run", generation=2)
    assert verdict(RETRYING, look(1), run=newer).remedy is Remedy.ABORT
    assert verdict(suspended(), look(6), run=newer).remedy is Remedy.ABORT
    assert verdict(HELD, look(1), run=newer).remedy is None
    assert verdict(HELD, look(LEASE_S + 1), run=newer).remedy is Remedy.ABORT


# --- children ---


def scheduled(*children: str, at: float = NOW, **of: Any) -> Scheduled:
    sent = tuple(Sent(action_id=child, task="env.task", pool="default", **of) for child in children)
    return Scheduled(at=at, generation=1, shard=0, children=sent)


def completed(child: str, *, at: float) -> Completed:
    return Completed(at=at, generation=1, action_id=child, outcome=SUCCESS)


def missed(child: str, *, until: float) -> Missed:
    return Missed(at=until + 60, generation=1, action_ids=(child,), sent_until=until)


def child_of(*entries: Entry) -> Child:
    return Children(1).apply(entries).open["child"]


def child_of_generation(generation: int) -> Child:
    return Children(generation).apply([replace(scheduled("child"), generation=generation)]).open["child"]


CHILD = child_of(scheduled("child"))
REPORTED = child_of(scheduled("child"), missed("child", until=NOW))
SENT_AGAIN = child_of(missed("child", until=NOW), scheduled("child"), scheduled("child", at=NOW + 70))
DUE = child_of(scheduled("child", bounds=Bounds(max_queued_s=30), queued_at=NOW))
ENDED = succeeded()

CHILDREN: dict[str, tuple[Child, ActionRecord | None, float, Remedy | None]] = {
    "just sent": (CHILD, None, PATIENCE_S - 1, None),
    "never claimed": (CHILD, None, PATIENCE_S, Remedy.MISS),
    "reported, and not sent again yet": (REPORTED, None, 2 * PATIENCE_S, None),
    "sent again": (SENT_AGAIN, None, 2 * PATIENCE_S - 1, None),
    "never claimed although sent again": (SENT_AGAIN, None, 2 * PATIENCE_S, Remedy.MISS),
    "within its bounds": (DUE, None, 29, None),
    "past its bounds": (DUE, None, 31, Remedy.TIME_OUT),
    "running": (CHILD, HELD, 9999, None),
    "just ended": (CHILD, ENDED, PATIENCE_S - 1, None),
    "ended without a word": (CHILD, ENDED, PATIENCE_S, Remedy.TELL),
}


@pytest.mark.parametrize("case", CHILDREN)
def test_a_child_is_overdue_when_its_parent_will_not_hear_of_it(case: str) -> None:
    child, record, after_s, remedy = CHILDREN[case]
    before_s = PATIENCE_S if after_s > PATIENCE_S else 0
    when = look(after_s, before_s=before_s)
    assert judge_child(child, record, generation=1, waiting=False, look=when).remedy is remedy


def test_a_child_may_be_waiting_for_an_executor() -> None:
    assert judge_child(CHILD, None, generation=1, waiting=True, look=look(BACKLOG_S - 1)).remedy is None
    assert judge_child(CHILD, None, generation=1, waiting=True, look=look(BACKLOG_S)).remedy is Remedy.MISS


@pytest.mark.parametrize(
    ("older", "remedy"),
    [
        (step(running(), finish(FAILURE)), Remedy.MISS),
        (HELD, Remedy.MISS),
        (ENDED, Remedy.TELL),
    ],
)
def test_only_a_success_of_an_older_generation_counts(older: ActionRecord, remedy: Remedy) -> None:
    newer = child_of_generation(2)
    assert judge_child(newer, older, generation=2, waiting=False, look=look(PATIENCE_S)).remedy is remedy


def test_a_child_that_only_says_that_it_is_awaited_was_never_claimed() -> None:
    awaited = step(None, Subscribe(spec=replace(spec(), inputs=Payload(size_bytes=2))))
    assert verdict(awaited, look(PATIENCE_S)).remedy is None, "its message would lack the inputs"
    missing = judge_child(CHILD, awaited, generation=1, waiting=False, look=look(PATIENCE_S))
    assert missing.remedy is Remedy.MISS


def test_a_child_with_bounds_is_looked_at_when_they_pass() -> None:
    assert judge_child(DUE, None, generation=1, waiting=False, look=look(1)).next_at == NOW + 30
    assert judge_child(CHILD, None, generation=1, waiting=False, look=look(1)).next_at == NOW + PATIENCE_S


def test_children_of_other_generations_are_not_open() -> None:
    older = replace(scheduled("child"), generation=1)
    assert Children(2).apply([older]).open == {}
    assert Children(1).apply([completed("child", at=NOW), scheduled("child")]).open == {}


# --- parents that sleep ---

BOTH = (scheduled("a", "b"),)
SLEPT: dict[str, tuple[tuple[Entry, ...], int, float, bool]] = {
    "both children run": (BOTH, 2, 1000, False),
    "one ended just now": ((*BOTH, completed("a", at=NOW + 50)), 1, 50 + PATIENCE_S - 1, False),
    "one ended long ago": ((*BOTH, completed("a", at=NOW + 50)), 1, 50 + PATIENCE_S, True),
    "one ended before it slept, and the other is awaited": (
        (scheduled("a", "b", "c"), completed("a", at=NOW + 1)),
        2,
        1000,
        False,
    ),
    "one ended, whatever the journal says": (BOTH, 1, 1000, True),
    "one ended, by a clock that is behind": ((*BOTH, completed("a", at=NOW - 100)), 1, 1000, True),
    "one is to be sent again": ((*BOTH, missed("a", until=NOW)), 2, 1000, True),
    "it fell asleep just now": (BOTH, 1, 5 + PATIENCE_S - 1, False),
}


@pytest.mark.parametrize("case", SLEPT)
def test_a_parent_is_woken_that_has_slept_through_something(case: str) -> None:
    entries, still_open, after_s, wakes = SLEPT[case]
    children = Children(1).apply(entries)
    assert must_wake(suspended(), children, still_open, look(after_s)) is wakes


def test_a_parent_that_waits_for_nothing_is_woken() -> None:
    asleep = suspended(open_children=0)
    assert must_wake(asleep, Children(1), 0, look(1000))


def test_a_parent_that_fell_asleep_right_after_an_end_is_not_woken_for_it() -> None:
    """It knew of that end, and waits for the child that it called then."""
    children = Children(1).apply([scheduled("a"), completed("a", at=NOW + 4), scheduled("b", at=NOW + 4)])
    assert not must_wake(suspended(open_children=1), children, 1, look(1000))


def test_a_parent_that_is_awake_is_not_woken() -> None:
    assert not must_wake(running(), Children(1), 0, look(1000))
    resumed = step(suspended(), claim(spec(), "lease-2", now=NOW + 9), NOW + 9)
    assert verdict(resumed, look(9)).remedy is None


# --- runs ---


def test_looks_become_rarer_while_nothing_is_found() -> None:
    pauses, before_s, now_s = [], 0.0, PATIENCE_S
    for _ in range(5):
        next_at = next_look(look(now_s, before_s=before_s), actions=10, found_anything=False, next_at=NEVER)
        pauses.append(next_at - NOW - now_s)
        before_s, now_s = now_s, next_at - NOW
    assert pauses == [120, 240, PAUSE_MAX_S, PAUSE_MAX_S, PAUSE_MAX_S]


def test_what_is_due_is_looked_at_in_time() -> None:
    when = look(1000, before_s=700)
    assert next_look(when, actions=10, found_anything=False, next_at=NOW + 1003) == NOW + 1003


def test_what_was_put_right_is_looked_at_soon() -> None:
    when = look(1000, before_s=700)
    assert next_look(when, actions=10, found_anything=True, next_at=NEVER) == NOW + 1000 + PATIENCE_S


def test_a_large_run_is_looked_at_more_rarely() -> None:
    when = look(1000, before_s=700)
    assert next_look(when, actions=1_000_000, found_anything=True, next_at=NOW + 1003) == NOW + 1000 + 10_000
