"""Which places may be taken, and when to look again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.unit.core.actions import LEASE_S, NOW, claim, in_generation, running, spec, step, succeeded

from upwell._core.commands import Abort, Release, Suspend
from upwell._core.holds import (
    HOLD_MAX_S,
    WAIT_MAX_S,
    WAIT_MIN_S,
    Hold,
    choices,
    doubtful,
    is_over,
    limits_of,
    lock_of,
    wait_s,
    wanted,
)
from upwell._core.model import ActionRecord, Executor, Limit, TaskSpec

EXECUTOR = Executor(kind="worker", id="w")
LIMIT = Limit(scope="task:env.task", places=3)
ASKER = wanted(spec(action_id="asker"), LIMIT, "asking", EXECUTOR, NOW, HOLD_MAX_S)


def held(place: int = 0, lease_id: str = "lease-1", *, action_id: str = "child", at: float = NOW) -> Hold:
    hold = wanted(spec(action_id=action_id), LIMIT, lease_id, EXECUTOR, at, HOLD_MAX_S)
    return replace(hold, place=place)


def asleep(place: int = 0) -> Hold:
    return replace(held(place), asleep=True)


def suspended() -> ActionRecord:
    return step(running(), Suspend(lease_id="lease-1", open_children=1, waiting_since=NOW))


def free(*seen: Hold, asker: Hold = ASKER, now: float = NOW, limit: Limit = LIMIT) -> set[int]:
    return {choice.place for choice in choices(limit, seen, {}, asker, now)}


def test_places_where_nobody_is_may_be_taken() -> None:
    assert free() == {0, 1, 2}
    assert free(held(1)) == {0, 2}
    assert free(held(0), held(1, "l2"), held(2, "l3")) == set()


def test_an_expired_place_is_replaced_as_it_was_seen() -> None:
    dead = held(1, at=NOW - HOLD_MAX_S)
    (choice,) = choices(LIMIT, [held(0, "a"), dead, held(2, "b")], {}, ASKER, NOW)
    assert (choice.place, choice.replaces) == (1, dead)


def test_the_own_place_comes_first() -> None:
    mine = replace(ASKER, place=2)
    assert choices(LIMIT, [mine], {}, ASKER, NOW)[0].replaces == mine


def test_who_is_in_a_place_that_a_lower_limit_does_not_have_counts() -> None:
    assert free(held(7), held(8, "l2"), limit=LIMIT) == {0, 1, 2}
    assert free(held(7), held(8, "l2"), limit=replace(LIMIT, places=2)) == set()


def test_askers_begin_at_different_places() -> None:
    firsts = {choices(LIMIT, [], {}, replace(ASKER, lease_id=f"l{n}"), NOW)[0].place for n in range(30)}
    assert firsts == {0, 1, 2}


RECORDS: dict[str, Callable[[], ActionRecord | None]] = {
    "none": lambda: None,
    "suspended": suspended,
    "woken": lambda: step(running(), Release(lease_id="lease-1")),
    "running": running,
    "succeeded": succeeded,
    "aborted": lambda: step(suspended(), Abort(spec=spec(), reason="r")),
}


@pytest.mark.parametrize("record", RECORDS)
def test_a_sleeper_keeps_its_place_as_long_as_it_will_go_on(record: str) -> None:
    long_after = NOW + HOLD_MAX_S + LEASE_S
    goes_on = record in {"suspended", "woken"}
    assert is_over(asleep(), RECORDS[record](), ASKER, long_after) is not goes_on
    assert doubtful([asleep()], ASKER, long_after) == [asleep().action]
    assert not is_over(asleep(), RECORDS[record](), ASKER, NOW)


def test_a_sleeper_whose_executor_died_before_it_wrote_that_it_sleeps_has_its_lease() -> None:
    assert not is_over(asleep(), running(now=NOW + HOLD_MAX_S), ASKER, NOW + HOLD_MAX_S + 1)


OWN = replace(ASKER, run_id="run", action_id="child")


@pytest.mark.parametrize(
    ("record", "over"),
    [("none", False), ("suspended", True), ("woken", True), ("running", False), ("succeeded", True)],
)
def test_the_next_attempt_takes_the_place_of_one_that_is_over(record: str, over: bool) -> None:
    assert doubtful([held()], OWN, NOW) == [OWN.action]
    assert is_over(held(), RECORDS[record](), OWN, NOW) is over
    assert is_over(asleep(), RECORDS[record](), OWN, NOW) is over


def test_a_dead_attempt_has_no_place_once_its_lease_ran_out() -> None:
    assert is_over(held(at=NOW + 9), running(), OWN, NOW + LEASE_S)


def test_the_lease_of_another_attempt_says_nothing_about_a_hold() -> None:
    """A message may come twice, and the second receiver be about to claim."""
    released = step(running(), Release(lease_id="lease-1"))
    assert not is_over(held(lease_id="second"), released, OWN, NOW)


def test_a_recovered_action_takes_the_place_of_its_older_generation() -> None:
    assert not is_over(held(), running(), OWN, NOW)
    assert is_over(held(), running(), replace(OWN, generation=2), NOW)
    recovered = step(running(), claim(in_generation(spec(), 2), "lease-2"))
    assert not is_over(held(lease_id="lease-2"), recovered, replace(OWN, generation=2), NOW)


def test_a_wait_grows_with_the_time_waited_within_bounds() -> None:
    leases = [f"lease-{n}" for n in range(200)]
    at = {waited: [wait_s(waited, lease) for lease in leases] for waited in (0.0, 10.0, 3600.0)}
    assert min(at[0.0]) >= WAIT_MIN_S / 2
    assert max(at[3600.0]) <= WAIT_MAX_S * 1.5
    assert max(at[0.0]) < min(at[10.0]) < max(at[10.0]) < min(at[3600.0])
    assert len(set(at[10.0])) > 150, "they do not all come at once"


def test_only_a_serialized_cached_task_has_a_lock() -> None:
    task = TaskSpec(name="e.t", module="m", pool="p", limits=(LIMIT,))
    assert lock_of(task) is None
    assert lock_of(replace(task, cache_serialize=True)) is None
    lock = Limit(scope="cache:k", places=1)
    serialized = replace(task, cache_key="k", cache_serialize=True)
    assert lock_of(serialized) == lock
    assert limits_of(serialized) == (lock, LIMIT)
    assert limits_of(task) == (LIMIT,)
