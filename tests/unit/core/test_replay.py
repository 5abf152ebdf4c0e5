"""What tells that a replay differs, and what does not."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from tests.unit.core.actions import FAILURE, SUCCESS

from upwell._core.journal import WINDOW_S, Completed, Entry, Scheduled, Sent, Traced
from upwell._core.replay import Difference, Replay

LEAF, OTHER = "env.leaf", "env.other"


def scheduled(
    *children: tuple[str, str, str], generation: int = 1, failures: int = 0, at: float = 100.0
) -> Scheduled:
    sent = tuple(Sent(action_id=i, task=task, pool="p", inputs=inputs) for i, task, inputs in children)
    return Scheduled(at=at, generation=generation, shard=0, children=sent, failures=failures)


def traced(trace_id: str, *, generation: int = 1, nested: bool = False) -> Traced:
    return Traced(
        at=100.0,
        trace_id=trace_id,
        name="fetch",
        started_at=99.0,
        outcome=SUCCESS,
        generation=generation,
        nested=nested,
    )


def completed(child: str, *, generation: int = 1, at: float = 200.0, failed: bool = False) -> Completed:
    outcome = FAILURE if failed else SUCCESS
    return Completed(at=at, generation=generation, action_id=child, outcome=outcome)


def asked(entries: Iterable[Entry], calls: Iterable[tuple[str, str, str]], **options: int) -> Difference | None:
    replay = Replay(entries, **options)
    for call_id, task, inputs in calls:
        replay.ask([call_id], task, inputs)
    return replay.difference("env.main")


A, B, C = ("a", LEAF, "aaaaaaaa"), ("b", LEAF, "bbbbbbbb"), ("c", OTHER, "cccccccc")
HELD = [scheduled(A, B), scheduled(C)]


@pytest.mark.parametrize(
    "calls",
    [[A, B, C], [C, B, A], [A, B, C, ("d", LEAF, "dddddddd")], [("d", LEAF, "dddddddd"), C, A, B]],
    ids=["the same", "in another order", "and more", "and more before"],
)
def test_a_replay_that_asks_for_all_that_the_journal_holds_is_as_it_should_be(
    calls: list[tuple[str, str, str]],
) -> None:
    assert asked(HELD, calls) is None


def test_other_inputs_are_told_with_both_sides() -> None:
    difference = asked(HELD, [A, C, ("d", LEAF, "dddddddd-and-the-rest")])
    assert difference is not None
    assert difference.is_error
    assert "env.main made other calls" in difference.text
    assert "not asked for: 1 of 2 x env.leaf (inputs bbbbbbbb)" in difference.text
    assert "not held: 1 x env.leaf (inputs dddddddd)" in difference.text
    assert "env.leaf got other inputs" in difference.text


def test_another_group_of_the_same_inputs_is_told_as_such() -> None:
    difference = asked(HELD, [A, C, ("b-grouped", LEAF, "bbbbbbbb")])
    assert difference is not None
    assert "the same inputs of env.leaf came in another group" in difference.text


def test_fewer_calls_are_told_with_their_number() -> None:
    many = [(f"m{n}", LEAF, f"{n:08}") for n in range(100)]
    difference = asked([scheduled(*many)], many[:10])
    assert difference is not None
    assert "90 of 100 x env.leaf" in difference.text
    assert "not held: nothing" in difference.text


def test_many_tasks_are_not_all_listed() -> None:
    difference = asked([scheduled(*((f"t{n}", f"env.t{n}", "") for n in range(50)))], [])
    assert difference is not None
    assert "calls of 45 other tasks" in difference.text
    assert len(difference.text) < 1000


def test_a_call_under_the_id_of_any_try_counts() -> None:
    replay = Replay([scheduled(A)], failures=0)
    replay.ask(["first", "a", "third"], LEAF)
    assert replay.difference("env.main") is None


def test_a_retry_may_differ() -> None:
    assert asked([scheduled(A, B)], [C], failures=1) is None


def test_another_attempt_of_a_retry_may_not() -> None:
    held = [scheduled(A, B), scheduled(C, failures=1)]
    assert asked(held, [A], failures=1) is not None
    assert asked(held, [C], failures=1) is None


def test_a_journal_of_an_older_version_says_less_and_is_read() -> None:
    difference = asked([scheduled(("a", LEAF, ""))], [("b", LEAF, "bbbbbbbb")])
    assert difference is not None
    assert "1 of 1 x env.leaf." in difference.text


# --- recovery ---


def test_a_recovery_goes_on_with_the_last_try_before_it() -> None:
    held = [scheduled(A), scheduled(B, failures=1)]
    assert asked(held, [B], generation=2) is None
    assert asked(held, [A], generation=2) is not None


def test_what_was_called_after_a_failure_need_not_be_called_in_a_recovery() -> None:
    failed_at = 200.0
    before, after = scheduled(A, B, at=100.0), scheduled(C, at=failed_at)
    held = [before, after, completed("a", at=failed_at, failed=True), completed("b")]
    assert asked(held, [A, B], generation=2) is None
    assert asked(held, [A], generation=2) is not None


def test_what_was_called_before_the_child_that_failed_does_not_follow_from_that() -> None:
    held = [scheduled(A, at=100.0), scheduled(B, at=100.5), completed("b", at=100.6, failed=True)]
    assert asked(held, [B], generation=2) is not None
    assert asked(held, [A, B], generation=2) is None


def test_clocks_that_differ_make_no_evidence() -> None:
    held = [scheduled(A, at=100.0), scheduled(B, at=100.5)]
    held_and_failed = [*held, completed("a", at=100.5 + WINDOW_S - 0.1, failed=True)]
    assert asked(held_and_failed, [A], generation=2) is None
    assert asked(held, [A], generation=2) is not None


def test_an_attempt_of_a_recovery_is_compared_with_both_generations() -> None:
    held = [scheduled(A), scheduled(B, generation=2)]
    assert asked(held, [A, B], generation=2) is None
    assert asked(held, [A], generation=2) is not None
    assert asked(held, [B], generation=2) is not None


def test_new_code_is_named_and_is_no_error() -> None:
    difference = asked([scheduled(A)], [B], generation=2, code_generation=2)
    assert difference is not None
    assert difference.text.startswith("the code of the run has changed")
    assert not difference.is_error


# --- traces, maps ---


def test_a_trace_is_missed_only_if_it_is_known_not_to_have_been_asked_for() -> None:
    replay = Replay([traced("t1"), traced("t2")])
    assert replay.difference("env.main") is None
    difference = replay.difference("env.main", traces_left=["t2"])
    assert difference is not None
    assert "1 of 2 x trace fetch" in difference.text


def test_a_trace_inside_another_is_not_expected() -> None:
    replay = Replay([traced("t1", nested=True)])
    assert replay.difference("env.main", traces_left=["t1"]) is None


def test_a_trace_of_an_older_version_is_not_expected() -> None:
    replay = Replay([traced("t1", generation=0)])
    assert replay.difference("env.main", traces_left=["t1"]) is None


def test_calls_that_a_map_makes_ahead_say_nothing() -> None:
    replay = Replay(HELD)
    replay.ask(["c"], OTHER)
    assert replay.difference("env.main", ahead=[LEAF]) is None
    assert replay.difference("env.main") is not None
