"""How many workers a pool should have."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upwell._core.scaling import (
    Load,
    ScalePolicy,
    ScaleState,
    ScalingEvent,
    Why,
    desired_workers,
    scaling_event,
)

POLICY = ScalePolicy(replicas_min=2, replicas_max=10, concurrency=5, scaledown_ttl_s=60, idle_ttl_s=600)
NOW = 10_000.0
BUSY = ScaleState(busy_at=NOW, needs=((8, NOW),))


@pytest.mark.parametrize(
    ("waiting", "in_flight", "workers", "after_s", "desired"),
    [
        (1, 0, 0, 0, 2),  # work starts at least the minimum, at once
        (23, 0, 2, 0, 5),  # the backlog decides ...
        (13, 10, 2, 0, 5),  # ... together with what is held
        (10_000, 0, 2, 0, 10),  # ... up to the maximum
        (1, 0, 8, 59, 8),  # a worker stays until it was not needed for scaledown_ttl
        (1, 0, 8, 60, 2),
        (0, 30, 8, 60, 6),  # what is held keeps its workers
        (0, 0, 8, 61, 2),  # an idle pool keeps its minimum until idle_ttl
        (0, 0, 2, 599, 2),
        (0, 0, 2, 600, 0),
        (0, 1, 2, 600, 2),
        (0, 0, 12, 0, 8),  # a policy with a lower maximum
        (0, 0, 0, 0, 0),  # nothing starts workers but work
    ],
)
def test_desired_workers(waiting: int, in_flight: int, workers: int, after_s: float, desired: int) -> None:
    load = Load(waiting=waiting, in_flight=in_flight, workers=workers)
    assert desired_workers(POLICY, BUSY, load, now=NOW + after_s)[0] == desired


def test_a_pool_that_was_never_looked_at_counts_as_just_used() -> None:
    desired, state = desired_workers(POLICY, ScaleState(), Load(waiting=0, in_flight=0, workers=1), now=NOW)
    assert desired == 1
    assert state == ScaleState(busy_at=NOW, needs=((1, NOW),))


def test_each_worker_goes_when_it_was_not_needed_for_so_long() -> None:
    state, workers, seen = ScaleState(), 0, []
    for after_s, messages in [(0, 40), (30, 25), (50, 10), (60, 10), (89, 10), (90, 10), (110, 10)]:
        load = Load(waiting=messages, in_flight=0, workers=workers)
        workers, state = desired_workers(POLICY, state, load, now=NOW + after_s)
        seen.append(workers)
    assert seen == [8, 8, 8, 5, 5, 2, 2]


def test_a_load_that_rises_and_falls_makes_no_worker_come_and_go() -> None:
    state, workers, seen = ScaleState(), 0, set()
    for look in range(50):
        load = Load(waiting=45 if look % 2 else 5, in_flight=0, workers=workers)
        workers, state = desired_workers(POLICY, state, load, now=NOW + 30 * look)
        if look > 1:
            seen.add(workers)
    assert seen == {9}


policies = st.builds(
    lambda least, more, concurrency, down_s, idle_s: ScalePolicy(
        replicas_min=least,
        replicas_max=max(1, least + more),
        concurrency=concurrency,
        scaledown_ttl_s=down_s,
        idle_ttl_s=idle_s,
    ),
    st.integers(0, 5),
    st.integers(0, 20),
    st.integers(1, 8),
    st.floats(0, 300),
    st.floats(0, 600),
)
looks = st.lists(st.tuples(st.floats(0, 120), st.integers(0, 200), st.integers(0, 200)), max_size=40)


@given(policies, looks)
def test_at_every_look(policy: ScalePolicy, history: list[tuple[float, int, int]]) -> None:
    """What holds whatever comes, in any order and at any pace."""
    state, workers, now = ScaleState(), 0, NOW
    needed_at: list[tuple[float, int]] = []
    for after_s, waiting, in_flight in history:
        now += after_s
        load = Load(waiting=waiting, in_flight=in_flight, workers=workers)
        desired, state = desired_workers(policy, state, load, now=now)
        messages = waiting + in_flight
        needed = min(policy.replicas_max, math.ceil(messages / policy.concurrency))
        needed_at.append((now, needed))
        assert 0 <= desired <= policy.replicas_max
        assert desired >= min(policy.replicas_max, math.ceil(in_flight / policy.concurrency))
        assert desired >= needed  # up at once
        if messages:
            assert desired >= max(1, policy.replicas_min)
        if desired > workers:
            assert messages > 0  # nothing starts workers but work
        elif desired < workers and desired:  # each that goes was not needed for so long
            recent = max(n for at, n in needed_at if now - at < policy.scaledown_ttl_s or at == now)
            assert desired >= recent
        assert [n for n, _ in state.needs] == sorted({n for n, _ in state.needs}, reverse=True)
        assert len(state.needs) <= policy.replicas_max
        workers = desired


@pytest.mark.parametrize(
    ("waiting", "in_flight", "workers", "desired", "why"),
    [
        (1, 0, 0, 2, Why.BACKLOG),
        (10, 13, 2, 5, Why.BACKLOG),
        (0, 5, 1, 2, Why.POLICY),  # its slots are enough, but the policy wants two while there is work
        (0, 5, 12, 10, Why.POLICY),
        (0, 5, 8, 2, Why.SLOTS),
        (0, 0, 8, 2, Why.SLOTS),
        (0, 0, 8, 0, Why.IDLE),
    ],
)
def test_a_change_says_why(waiting: int, in_flight: int, workers: int, desired: int, why: Why) -> None:
    load = Load(waiting=waiting, in_flight=in_flight, workers=workers)
    assert scaling_event(POLICY, load, desired, now=NOW) == ScalingEvent(
        at=NOW, before=workers, after=desired, why=why, waiting=waiting, in_flight=in_flight
    )


def test_a_look_that_changes_nothing_is_no_event() -> None:
    assert scaling_event(POLICY, Load(waiting=3, in_flight=0, workers=2), 2, now=NOW) is None
