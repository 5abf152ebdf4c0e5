"""How many items a batch has: what is measured, and what bounds it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upwell._core.sizer import (
    BATCH_MAX_S,
    BATCHES_MIN,
    BATCHES_PER_SLOT,
    BYTES_MAX,
    GROWTH,
    ITEMS_MAX,
    PROBE_S,
    PROBES,
    PROBES_PER_S,
    PROBES_PER_SLOT,
    Sizer,
    Sizing,
)


def sizer_of(items: int, item_s: float, overhead_s: float, *, slots: int = 8, size_bytes: int = 0) -> Sizer:
    """Return one that has measured a batch."""
    sizer = Sizer(Sizing(slots=slots))
    work_s = items * item_s
    sizer.measured(items=items, work_s=work_s, total_s=work_s + overhead_s, size_bytes=size_bytes)
    return sizer


def test_items_go_singly_until_something_is_measured() -> None:
    sizer = Sizer(Sizing(slots=8))
    assert sizer.size(1_000_000) == sizer.size(None) == 1


def test_a_pool_that_declares_its_slots_gets_batches_for_each_and_no_more() -> None:
    sizes = {}
    for pool_slots in (0, 4, 400):
        sizer = Sizer(Sizing(), pool_slots=pool_slots)
        sizer.measured(items=100, work_s=1.0, total_s=1.05)
        sizes[pool_slots] = sizer.size(1_000)
    assert sizes == {0: 16, 4: 50, 400: 5}


@pytest.mark.parametrize(
    ("slots", "waited_s", "in_flight"),
    [
        (1_000, 0.0, PROBES),
        (1_000, PROBE_S, 2 * PROBES),
        (1_000, 5 * PROBE_S, 32 * PROBES),
        (1_000, 60.0, PROBES_PER_SLOT * 1_000),
        (4, 60.0, PROBES),
        (0, PROBE_S, PROBES + 3),
        (0, 40.0, PROBES + 40 * PROBES_PER_S),  # executors may be starting: not the whole map goes singly
    ],
)
def test_items_that_take_long_are_sent_faster_and_faster(slots: int, waited_s: float, in_flight: int) -> None:
    assert Sizer(Sizing(slots=slots)).in_flight(waited_s) == in_flight


@pytest.mark.parametrize(
    ("items", "item_s", "overhead_s", "left", "size"),
    [
        (1_000, 0.001, 0.1, None, 1_000),  # ten times the overhead
        (1_000, 0.001, 0.002, None, 200),  # and no less than the shortest batch
        (10, 0.001, 0.1, None, GROWTH * 10),  # no more than eight times what was measured
        (10_000, 0.0001, 0.5, None, ITEMS_MAX),
        (100, 1.0, 3.0, None, int(BATCH_MAX_S / 1.03)),  # no longer than the longest batch
        (1, 5.0, 0.1, None, 1),  # slow items go alone
        (1_000, 0.001, 0.1, 1_600, 100),  # so that each of 8 slots has two batches
        (1_000, 0.001, 0.1, 5, 5),
        (1_000, 0.001, 0.1, 160, 100),  # but none shorter than its action takes
        (1, 0.0, 0.1, None, GROWTH),  # hits of the cache run for no time
    ],
)
def test_the_size_follows_from_what_was_measured(
    items: int, item_s: float, overhead_s: float, left: int | None, size: int
) -> None:
    assert sizer_of(items, item_s, overhead_s).size(left) == size


def test_large_items_make_small_batches() -> None:
    assert sizer_of(1_000, 0.001, 0.1, size_bytes=1_000 * BYTES_MAX // 10).size(None) == 10


def test_the_factor_is_a_setting() -> None:
    sizer = Sizer(Sizing(factor=100.0))
    sizer.measured(items=1_000, work_s=1.0, total_s=1.1)
    assert sizer.size(None) == GROWTH * 1_000
    sizer = Sizer(Sizing(factor=20.0))
    sizer.measured(items=1_000, work_s=1.0, total_s=1.1)
    assert sizer.size(None) == 2_000


def test_what_waits_in_a_queue_is_not_taken_for_overhead() -> None:
    sizer = sizer_of(100, 0.001, 0.05)
    for _ in range(5):
        sizer.measured(items=100, work_s=0.1, total_s=20.0)
    assert sizer.size(None) == 500


def test_a_replay_says_nothing_of_the_overhead() -> None:
    sizer = Sizer(Sizing())
    sizer.measured(items=100, work_s=0.1, total_s=0.0)
    assert sizer.size(None) == 500


def test_batches_of_slow_items_and_of_unknown_slots_are_not_held_back() -> None:
    assert sizer_of(1, 5.0, 0.1).in_flight(0.0) is None
    assert sizer_of(100, 0.001, 0.1, slots=0).in_flight(0.0) is None
    assert sizer_of(100, 0.001, 0.1, slots=256).in_flight(0.0) == BATCHES_MIN
    assert sizer_of(100, 0.02, 0.1, slots=256).in_flight(0.0) == 100


times = st.floats(0.0, 1e4, allow_nan=False)


@given(
    measured=st.lists(st.tuples(st.integers(1, ITEMS_MAX), times, times, st.integers(0, 10**9)), min_size=1),
    slots=st.integers(0, 1_000),
    concurrency=st.integers(0, 100),
    left=st.none() | st.integers(1, 10**7),
)
def test_whatever_is_measured_a_batch_has_items_and_bounds(
    measured: list[tuple[int, float, float, int]], slots: int, concurrency: int, left: int | None
) -> None:
    sizer = Sizer(Sizing(slots=slots), concurrency)
    for items, work_s, total_s, size_bytes in measured:
        sizer.measured(items=items, work_s=work_s, total_s=total_s, size_bytes=size_bytes)
        assert 1 <= sizer.size(left) <= min(ITEMS_MAX, left or ITEMS_MAX)
        assert sizer.size(left) <= GROWTH * max(each[0] for each in measured)
    in_flight = sizer.in_flight(0.0)
    assert in_flight is None or in_flight >= 1


@given(total=st.integers(1, 100_000), item_s=st.floats(0.0001, 0.1), slots=st.integers(1, 64))
def test_the_last_batches_are_small(total: int, item_s: float, slots: int) -> None:
    sizer, left, sizes = sizer_of(1_000, item_s, item_s / 2, slots=slots), total, list[int]()
    while left:
        sizes.append(sizer.size(left))
        left -= sizes[-1]
    assert sum(sizes) == total
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] <= max(1, -(-total // (BATCHES_PER_SLOT * min(slots, BATCHES_MIN))))
    assert sizes[-1] == 1
