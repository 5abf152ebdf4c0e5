"""How many workers a pool should have."""

from upwell._core.scaling import ScalePolicy, ScaleState, desired_workers

POLICY = ScalePolicy(replicas_min=2, replicas_max=10, concurrency=5, scaledown_ttl_s=60, idle_ttl_s=600)
NOW = 10_000.0
BUSY = ScaleState(busy_at=NOW, needed_at=NOW)


def test_work_starts_at_least_the_minimum_at_once() -> None:
    assert desired_workers(POLICY, BUSY, messages=1, workers=0, now=NOW)[0] == 2


def test_the_backlog_decides_up_to_the_maximum() -> None:
    assert desired_workers(POLICY, BUSY, messages=23, workers=2, now=NOW)[0] == 5
    assert desired_workers(POLICY, BUSY, messages=10_000, workers=2, now=NOW)[0] == 10


def test_workers_stay_for_scaledown_ttl_after_they_were_last_needed() -> None:
    assert desired_workers(POLICY, BUSY, messages=1, workers=8, now=NOW + 59)[0] == 8
    assert desired_workers(POLICY, BUSY, messages=1, workers=8, now=NOW + 60)[0] == 2


def test_an_idle_pool_keeps_its_minimum_until_idle_ttl_and_has_none_after() -> None:
    assert desired_workers(POLICY, BUSY, messages=0, workers=8, now=NOW + 61)[0] == 2
    assert desired_workers(POLICY, BUSY, messages=0, workers=2, now=NOW + 599)[0] == 2
    assert desired_workers(POLICY, BUSY, messages=0, workers=2, now=NOW + 600)[0] == 0


def test_a_pool_that_was_never_looked_at_counts_as_just_used() -> None:
    desired, state = desired_workers(POLICY, ScaleState(), messages=0, workers=1, now=NOW)
    assert desired == 1
    assert state == ScaleState(busy_at=NOW, needed_at=NOW)


def test_the_memory_follows_what_was_seen() -> None:
    _, busy = desired_workers(POLICY, BUSY, messages=7, workers=2, now=NOW + 5)
    assert busy == ScaleState(busy_at=NOW + 5, needed_at=NOW + 5)
    _, more_than_needed = desired_workers(POLICY, BUSY, messages=7, workers=9, now=NOW + 5)
    assert more_than_needed == ScaleState(busy_at=NOW + 5, needed_at=NOW)
