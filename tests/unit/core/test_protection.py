"""When a worker asks to be kept from scale-in."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from upwell._core.protection import (
    PROTECT_AFTER_S,
    PROTECTED_S,
    RELEASE_AFTER_S,
    RETRY_S,
    ProtectionState,
    Step,
    look,
)


def asked(*looks: tuple[float, bool]) -> list[tuple[float, Step]]:
    """Return what is asked for, and when, at such looks; every request is granted."""
    state, steps = ProtectionState(), []
    for now, busy in looks:
        step, state = look(state, busy=busy, now=now)
        if step is not None:
            steps.append((now, step))
            state = state.granted(step, now)
    return steps


def test_work_that_lasts_is_protected_and_released_when_it_is_over() -> None:
    looks = [(float(t), t < 20) for t in range(60)]
    assert asked(*looks) == [(PROTECT_AFTER_S, Step.PROTECT), (20 + RELEASE_AFTER_S, Step.RELEASE)]


def test_a_moment_of_work_asks_for_nothing() -> None:
    assert asked((0, True), (1, True), (2, False), (60, False), (61, True)) == []


def test_pauses_between_work_do_not_ask_again_and_again() -> None:
    looks = [(float(t), t % 4 != 3) for t in range(100)]
    assert [step for _, step in asked(*looks)] == [Step.PROTECT]


def test_long_work_renews_its_protection_before_it_ends() -> None:
    steps = asked(*[(float(t), True) for t in range(2000)])
    times = [at for at, _ in steps]
    assert {step for _, step in steps} == {Step.PROTECT}
    assert all(later - earlier <= PROTECTED_S / 2 for earlier, later in pairwise(times))
    assert len(times) == 1 + int((2000 - PROTECT_AFTER_S) // (PROTECTED_S / 2))


def test_a_refusal_is_repeated_after_a_while() -> None:
    _, state = look(ProtectionState(), busy=True, now=0.0)
    step, state = look(state, busy=True, now=10.0)
    assert step is Step.PROTECT
    state = state.refused(10.0)
    assert look(state, busy=True, now=11.0)[0] is None
    assert look(state, busy=True, now=10.0 + RETRY_S)[0] is Step.PROTECT


@given(st.lists(st.tuples(st.floats(0.1, 400), st.booleans(), st.booleans()), max_size=60))
def test_a_worker_is_never_left_protected_when_idle_nor_open_when_busy(
    looks: list[tuple[float, bool, bool]],
) -> None:
    state, now, since, was_busy = ProtectionState(), 0.0, 0.0, False
    for after_s, busy, granted in looks:
        now += after_s
        if busy != was_busy:
            since, was_busy = now, busy
        step, state = look(state, busy=busy, now=now)
        if step is not None:
            assert busy == (step is Step.PROTECT)
            state = state.granted(step, now) if granted else state.refused(now)
        protected = state.until is not None and state.until > now
        if now >= state.retry_at:  # nothing was refused lately
            assert protected or not busy or now - since < PROTECT_AFTER_S
            assert not protected or busy or now - since < RELEASE_AFTER_S
