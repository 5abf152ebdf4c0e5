"""Every change of an action is counted once, however often and in whatever order the stream delivers it."""

from __future__ import annotations

import random

import pytest

from upwell._core.fold import SLACK, Change, Tally, fold, merged


def change(sequence: int, before: str | None, after: str, task: str = "env.f") -> Change:
    return Change(run_id="r1", lane="0a", sequence_id=f"{sequence:030d}", task=task, before=before, after=after)


def lives(count: int) -> list[Change]:
    """The changes of actions that start one after the other, and end in the order of their start."""
    starts = [change(1_000 + 10 * i, None, "RUNNING") for i in range(count)]
    ends = [change(1_035 + 10 * i, "RUNNING", "SUCCEEDED") for i in range(count)]
    return sorted(starts + ends, key=lambda c: c.sequence)


def test_changes_move_an_action_from_one_count_to_another() -> None:
    tally = fold(
        Tally(), [change(1, None, "RUNNING"), change(2, None, "RUNNING"), change(3, "RUNNING", "FAILED")]
    )
    assert merged([tally]) == {"env.f": {"RUNNING": 1, "FAILED": 1}}


def test_a_batch_that_comes_again_changes_nothing() -> None:
    batch = lives(5)
    tally = fold(Tally(), batch)
    assert fold(tally, batch) == tally
    assert fold(tally, batch[3:]) == tally


def test_a_change_twice_in_one_batch_counts_once() -> None:
    batch = lives(5)
    assert fold(Tally(), [c for c in batch for _ in range(2)]) == fold(Tally(), batch)


def test_a_batch_that_comes_again_with_more_counts_only_what_is_new() -> None:
    batch = lives(50)
    tally = fold(fold(Tally(), batch[:30]), batch[10:])
    assert merged([tally]) == {"env.f": {"SUCCEEDED": 50}}
    assert tally == fold(Tally(), batch)


def test_changes_that_overtake_each_other_within_the_slack_are_all_counted() -> None:
    batch = lives(SLACK // 2)
    for seed in range(20):
        mixed = random.Random(seed).sample(batch, len(batch))
        tally = Tally()
        for start in range(0, len(mixed), 7):
            tally = fold(tally, mixed[start : start + 7])
        assert merged([tally]) == {"env.f": {"SUCCEEDED": SLACK // 2}}


@pytest.mark.parametrize(("later", "is_counted"), [(1, True), (SLACK, True), (SLACK + 1, False)])
@pytest.mark.parametrize("batch", [1, 1000])
def test_a_change_may_be_overtaken_by_as_many_as_the_slack(later: int, is_counted: bool, batch: int) -> None:
    late, *others = lives(SLACK)[: later + 1]
    tally = Tally()
    for start in range(0, later, batch):
        tally = fold(tally, others[start : start + batch])
    assert (fold(tally, [late]).counts != tally.counts) == is_counted


def test_what_is_older_than_the_slack_counts_as_seen() -> None:
    batch = lives(10 * SLACK)
    tally = Tally()
    for start in range(0, len(batch), 100):
        tally = fold(tally, batch[start : start + 100])
    assert len(tally.recent) == SLACK
    assert fold(tally, batch) == tally
    assert merged([tally]) == {"env.f": {"SUCCEEDED": 10 * SLACK}}


def test_an_end_that_arrives_before_its_start_shows_no_count_below_zero() -> None:
    start, end = change(1, None, "RUNNING"), change(2, "RUNNING", "SUCCEEDED")
    tally = fold(Tally(), [end])
    assert merged([tally]) == {"env.f": {"SUCCEEDED": 1}}
    assert merged([fold(tally, [start])]) == {"env.f": {"SUCCEEDED": 1}}


def test_lanes_and_tasks_add_up() -> None:
    one = fold(Tally(), [change(1, None, "RUNNING"), change(2, None, "RUNNING", "env.g")])
    two = fold(Tally(), [change(1, None, "RUNNING"), change(9, None, "ABORTED")])
    assert merged([one, two]) == {"env.f": {"RUNNING": 2, "ABORTED": 1}, "env.g": {"RUNNING": 1}}
    assert merged([]) == {}


def test_a_count_in_one_lane_below_zero_is_made_up_by_another() -> None:
    split = [fold(Tally(), [change(1, None, "RUNNING")]), fold(Tally(), [change(2, "RUNNING", "FAILED")])]
    assert merged(split) == {"env.f": {"FAILED": 1}}


def test_calls_that_the_cache_answered_count_as_ended_once() -> None:
    told = Change(
        run_id="r1",
        lane="0a",
        sequence_id="7",
        task="env.parent",
        before="RUNNING",
        after="RUNNING",
        hits={"env.f": 3, "env.g": 1},
    )
    begun = change(6, None, "RUNNING", "env.parent")
    tally = fold(fold(Tally(), [begun, told]), [told])
    expected = {"env.parent": {"RUNNING": 1}, "env.f": {"SUCCEEDED": 3}, "env.g": {"SUCCEEDED": 1}}
    assert merged([tally]) == expected
