"""Group commit: what piles up goes together, and each submitter gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from upwell._exec.batcher import Batcher, BatcherClosedError


class Sink:
    """A flush that remembers its batches and can be held up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.entered = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def flush(self, items: list[int]) -> Sequence[int | Exception]:
        self.batches.append(items)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.entered.set()
        try:
            await self.gate.wait()
        finally:
            self.in_flight -= 1
        return [ValueError(f"odd: {item}") if item % 2 else item * 10 for item in items]


async def turns(count: int = 5) -> None:
    """Let every task that can run, run."""
    for _ in range(count):
        await asyncio.sleep(0)


async def submit_all(batcher: Batcher[int, int], items: Sequence[int]) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(batcher.submit(item)) for item in items]
    await turns()
    return tasks


async def test_a_single_item_is_flushed_at_once() -> None:
    sink = Sink()
    assert await Batcher(sink.flush, max_items=10).submit(4) == 40
    assert sink.batches == [[4]]


async def test_one_item_after_the_other_is_flushed_even_by_a_flush_that_never_waits() -> None:
    async def flush(items: list[int]) -> list[int | Exception]:
        return list(items)

    batcher = Batcher(flush, max_items=10)
    assert [await asyncio.wait_for(batcher.submit(i), 5) for i in range(5)] == list(range(5))


async def test_submits_of_one_turn_of_the_loop_share_a_batch() -> None:
    sink = Sink()
    batcher = Batcher(sink.flush, max_items=100)
    assert await asyncio.gather(*(batcher.submit(i) for i in range(0, 40, 2))) == list(range(0, 400, 20))
    assert sink.batches == [list(range(0, 40, 2))]


async def test_what_piles_up_during_a_flush_goes_into_the_next_one() -> None:
    sink = Sink()
    sink.gate.clear()
    batcher = Batcher(sink.flush, max_items=100)
    first = await submit_all(batcher, [0])
    later = await submit_all(batcher, [2, 4])
    later += await submit_all(batcher, [6])
    assert sink.batches == [[0]]
    sink.gate.set()
    assert await asyncio.gather(*first, *later) == [0, 20, 40, 60]
    assert sink.batches == [[0], [2, 4, 6]]


async def test_a_batch_holds_at_most_max_items() -> None:
    sink = Sink()
    batcher = Batcher(sink.flush, max_items=25)
    await asyncio.gather(*(batcher.submit(2) for _ in range(60)))
    assert [len(batch) for batch in sink.batches] == [25, 25, 10]


async def test_a_batch_holds_at_most_max_bytes_and_an_oversized_item_goes_alone() -> None:
    sink = Sink()
    batcher = Batcher(sink.flush, max_items=25, max_bytes=10, size_of=lambda item: item)
    await asyncio.gather(*(batcher.submit(size) for size in (4, 6, 2, 50, 8, 2, 2)))
    assert sink.batches == [[4, 6], [2], [50], [8, 2], [2]]


async def test_flushes_run_in_parallel_up_to_the_limit() -> None:
    sink = Sink()
    sink.gate.clear()
    batcher = Batcher(sink.flush, max_items=2, parallel=3)
    tasks = await submit_all(batcher, [2] * 10)
    assert sink.in_flight == 3
    sink.gate.set()
    await asyncio.gather(*tasks)
    assert sink.most_in_flight == 3
    assert [len(batch) for batch in sink.batches] == [2] * 5


async def test_spare_flushes_do_not_split_what_fits_into_one() -> None:
    sink = Sink()
    batcher = Batcher(sink.flush, max_items=10, parallel=4)
    await asyncio.gather(*(batcher.submit(2) for _ in range(10)))
    assert [len(batch) for batch in sink.batches] == [10]


async def test_with_patience_a_batch_that_is_not_full_waits_for_one_in_flight() -> None:
    sink = Sink()
    sink.gate.clear()
    batcher = Batcher(sink.flush, max_items=3, parallel=4, patience_s=3600.0)
    tasks = [task for item in (0, 2, 4) for task in await submit_all(batcher, [item])]
    assert sink.batches == [[0]]
    tasks += await submit_all(batcher, [6])
    assert sink.batches == [[0], [2, 4, 6]], "what is full does not wait"
    tasks += await submit_all(batcher, [8])
    assert len(sink.batches) == 2
    sink.gate.set()
    assert await asyncio.gather(*tasks) == [0, 20, 40, 60, 80]
    assert sink.batches == [[0], [2, 4, 6], [8]]


async def test_patience_ends_when_what_is_in_flight_takes_too_long() -> None:
    sink = Sink()
    sink.gate.clear()
    batcher = Batcher(sink.flush, max_items=10, parallel=2, patience_s=0.01)
    tasks = [task for item in (0, 2, 4) for task in await submit_all(batcher, [item])]
    sink.entered.clear()
    await sink.entered.wait()  # the gate is shut: only the end of the patience lets a second one enter
    assert sink.batches == [[0], [2, 4]]
    sink.gate.set()
    assert await asyncio.gather(*tasks) == [0, 20, 40]


def test_an_idle_batcher_with_patience_is_used_from_another_loop() -> None:
    sink = Sink()
    batcher = Batcher(sink.flush, max_items=2, parallel=2, patience_s=3600.0)

    async def burst() -> list[int]:
        tasks = [task for item in (0, 2, 4) for task in await submit_all(batcher, [item])]
        return list(await asyncio.gather(*tasks))

    for _ in range(2):
        sink.gate = asyncio.Event()
        sink.gate.set()
        assert asyncio.run(burst()) == [0, 20, 40]


async def test_an_items_own_error_reaches_its_submitter_alone() -> None:
    sink = Sink()
    batcher = Batcher(sink.flush, max_items=10)
    results = await asyncio.gather(*(batcher.submit(i) for i in (2, 3, 4)), return_exceptions=True)
    assert [repr(result) for result in results] == ["20", "ValueError('odd: 3')", "40"]


async def test_a_flush_that_raises_fails_its_batch_and_not_the_next() -> None:
    async def flush(items: list[int]) -> list[int | Exception]:
        if 1 in items:
            raise OSError("disk full")
        return list(items)

    batcher = Batcher(flush, max_items=2)
    results = await asyncio.gather(*(batcher.submit(i) for i in (1, 2, 3)), return_exceptions=True)
    assert [type(result) for result in results] == [OSError, OSError, int]


async def test_a_flush_that_returns_too_few_results_is_an_error_for_all() -> None:
    async def flush(items: list[int]) -> list[int | Exception]:
        return list(items[1:])

    batcher = Batcher(flush, max_items=10)
    results = await asyncio.gather(*(batcher.submit(i) for i in (1, 2)), return_exceptions=True)
    assert [str(result) for result in results] == ["a flush of 2 items returned 1 results"] * 2


async def test_a_cancelled_submitter_does_not_disturb_the_others() -> None:
    sink = Sink()
    sink.gate.clear()
    batcher = Batcher(sink.flush, max_items=10)
    flying = await submit_all(batcher, [2, 4])
    pending = await submit_all(batcher, [6, 8])
    flying[0].cancel()
    pending[0].cancel()
    await turns()
    sink.gate.set()
    assert [await flying[1], await pending[1]] == [40, 80]
    assert sink.batches == [[2, 4], [8]], "an item that was not in flight yet is taken back"
    assert flying[0].cancelled()
    assert pending[0].cancelled()


async def test_aclose_flushes_the_rest_and_refuses_more() -> None:
    sink = Sink()
    sink.gate.clear()
    batcher = Batcher(sink.flush, max_items=2)
    tasks = await submit_all(batcher, [2, 4, 6, 8, 10])
    closing = asyncio.create_task(batcher.aclose())
    await turns()
    assert not closing.done()
    with pytest.raises(BatcherClosedError):
        await batcher.submit(12)
    sink.gate.set()
    await closing
    assert [task.result() for task in tasks] == [20, 40, 60, 80, 100]


def test_a_batcher_outlives_event_loops_even_one_that_was_torn_down_in_a_flush() -> None:
    async def flush(items: list[int]) -> list[int | Exception]:
        if 13 in items:
            await asyncio.Event().wait()
        return list(items)

    batcher = Batcher(flush, max_items=1)

    async def abandon() -> None:
        await submit_all(batcher, [13, 14])

    assert asyncio.run(batcher.submit(1)) == 1
    asyncio.run(abandon())
    assert asyncio.run(batcher.submit(2)) == 2


@pytest.mark.parametrize(
    ("max_items", "max_bytes", "parallel"),
    [(0, None, 1), (1, None, 0), (1, 10, 1)],
    ids=["no items", "no flushes", "bytes without sizes"],
)
def test_limits_that_make_no_sense_are_refused(max_items: int, max_bytes: int | None, parallel: int) -> None:
    with pytest.raises(ValueError, match=r"must be at least 1|go together"):
        Batcher(Sink().flush, max_items=max_items, max_bytes=max_bytes, parallel=parallel)


async def test_what_waits_is_not_left_waiting_when_something_stops_the_process_in_a_flush() -> None:
    class Stopped(BaseException):
        """Stands for what is no `Exception`, and what the event loop does not raise again by itself."""

    gate = asyncio.Event()

    async def flush(items: list[int]) -> Sequence[int | Exception]:
        await gate.wait()
        raise Stopped

    batcher = Batcher(flush, max_items=1)
    flying, pending = batcher.put(1), batcher.put(2)
    await turns()
    gate.set()
    await asyncio.wait_for(asyncio.wait({flying, pending}), 5)
    assert flying.cancelled()
    assert pending.cancelled()
    await asyncio.wait_for(batcher.aclose(), 5)


class Counter:
    """A flush that needs no wait, while it can be done so."""

    def __init__(self) -> None:
        self.at_once: list[list[int]] = []
        self.patient: list[list[int]] = []
        self.is_busy = False

    def flush_at_once(self, items: list[int]) -> Sequence[int | Exception] | None:
        if self.is_busy:
            return None
        self.at_once.append(items)
        return [ValueError(f"odd: {item}") if item % 2 else item * 10 for item in items]

    async def flush(self, items: list[int]) -> Sequence[int | Exception]:
        self.patient.append(items)
        await asyncio.sleep(0)
        return [item * 100 for item in items]

    def batcher(self, *, max_items: int = 10) -> Batcher[int, int]:
        return Batcher(self.flush, at_once=self.flush_at_once, max_items=max_items)


async def test_what_can_be_done_at_once_is_done_in_batches_and_without_a_task() -> None:
    counter = Counter()
    batcher = counter.batcher(max_items=2)
    before = asyncio.all_tasks()
    answers = [batcher.put(item) for item in (2, 4, 6)]
    assert asyncio.all_tasks() == before
    await turns()
    assert [answer.result() for answer in answers] == [20, 40, 60]
    assert counter.at_once == [[2, 4], [6]]
    assert counter.patient == []


async def test_an_items_own_error_reaches_its_submitter_alone_at_once_too() -> None:
    good, bad = (batcher := Counter().batcher()).put(2), batcher.put(3)
    assert await good == 20
    with pytest.raises(ValueError, match="odd: 3"):
        await bad


async def test_what_cannot_be_done_at_once_is_flushed_in_its_order() -> None:
    counter = Counter()
    counter.is_busy = True
    batcher = counter.batcher(max_items=2)
    answers = [batcher.put(item) for item in (1, 2, 3)]
    assert await asyncio.gather(*answers) == [100, 200, 300]
    assert counter.at_once == []
    assert counter.patient == [[1, 2], [3]]
    counter.is_busy = False
    assert await batcher.submit(4) == 40


async def test_at_once_may_fail_a_batch_and_not_the_next() -> None:
    def at_once(items: list[int]) -> Sequence[int | Exception]:
        if 13 in items:
            raise OSError("disk full")
        return list(items)

    batcher = Batcher(Counter().flush, at_once=at_once, max_items=1)
    bad, good = batcher.put(13), batcher.put(14)
    with pytest.raises(OSError, match="disk full"):
        await bad
    assert await good == 14


async def test_too_few_results_at_once_are_an_error_for_all() -> None:
    batcher: Batcher[int, int] = Batcher(Counter().flush, at_once=lambda _: [1], max_items=2)
    answers = await asyncio.gather(batcher.put(1), batcher.put(2), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["a flush of 2 items returned 1 results"] * 2


def test_what_waits_is_not_left_waiting_when_something_stops_the_process_at_once() -> None:
    class Stopped(BaseException):
        """Stands for what is no `Exception`, and what the event loop does not raise again by itself."""

    def at_once(_: list[int]) -> Sequence[int | Exception]:
        raise Stopped

    async def submit() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        batcher = Batcher(Counter().flush, at_once=at_once, max_items=1)
        flying, pending = batcher.put(1), batcher.put(2)
        await turns()
        assert flying.cancelled()
        assert pending.cancelled()
        await asyncio.wait_for(batcher.aclose(), 5)

    asyncio.run(submit())


async def test_aclose_waits_for_what_is_done_at_once() -> None:
    counter = Counter()
    batcher = counter.batcher()
    answer = batcher.put(2)
    await batcher.aclose()
    assert answer.result() == 20


def test_a_batcher_that_works_at_once_outlives_an_event_loop_that_was_torn_down() -> None:
    counter = Counter()
    batcher = counter.batcher()

    async def abandon() -> None:
        batcher.put(2)

    asyncio.run(abandon())
    assert asyncio.run(asyncio.wait_for(batcher.submit(4), 5)) == 40
