"""Slots: a bounded number, parents that go on first, none ever lost."""

from __future__ import annotations

import asyncio

import pytest

from upwell._exec.slots import Slot, Slots


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_than_its_size_are_held() -> None:
    slots = Slots(2)
    await slots.acquire()
    await slots.acquire()
    third = asyncio.create_task(slots.acquire())
    await settle()
    assert not third.done()
    slots.release()
    await third
    assert slots.free == 0


async def test_a_parent_that_goes_on_is_served_before_new_work() -> None:
    slots, served = Slots(1), []
    await slots.acquire()

    async def take(name: str, resuming: bool) -> None:
        await slots.acquire(resuming=resuming)
        served.append(name)

    waiting = [asyncio.create_task(take("new", False)), asyncio.create_task(take("parent", True))]
    await settle()
    slots.release()
    await settle()
    assert served == ["parent"]
    slots.release()
    await asyncio.gather(*waiting)
    assert served == ["parent", "new"]


async def test_nobody_overtakes_those_who_wait() -> None:
    slots = Slots(1)
    await slots.acquire()
    waiting = asyncio.create_task(slots.acquire())
    await settle()
    assert slots.try_acquire(1) == 0
    slots.release()
    assert slots.try_acquire(1) == 0
    await waiting


@pytest.mark.parametrize(("at_most", "taken"), [(0, 0), (2, 2), (10, 3)])
async def test_what_is_free_right_now_can_be_taken(at_most: int, taken: int) -> None:
    slots = Slots(3)
    assert slots.try_acquire(at_most) == taken
    assert slots.free == 3 - taken


async def test_a_cancelled_wait_leaves_its_turn_to_the_next() -> None:
    slots = Slots(1)
    await slots.acquire()
    first, second = asyncio.create_task(slots.acquire()), asyncio.create_task(slots.acquire())
    await settle()
    slots.release()  # the first one's turn, which it has not noticed yet
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await asyncio.wait_for(second, 1)
    slots.release()
    assert slots.free == 1


async def test_a_slot_is_free_while_its_task_waits_for_children() -> None:
    slots = Slots(1)
    await slots.acquire()
    slot = Slot(slots)
    slot.park()
    assert slots.free == 1
    await slot.resume()
    assert slots.free == 0
    slot.close()
    assert slots.free == 1


async def test_several_waits_at_once_park_once() -> None:
    slots = Slots(1)
    await slots.acquire()
    slot = Slot(slots)
    slot.park()
    slot.park()
    await slot.resume()
    assert slots.free == 1
    await slot.resume()
    assert slots.free == 0


async def test_a_wait_that_begins_while_another_resumes_takes_no_second_slot() -> None:
    slots = Slots(1)
    await slots.acquire()
    slot = Slot(slots)
    slot.park()
    await slots.acquire()  # somebody else has it now
    resuming = asyncio.create_task(slot.resume())
    await settle()
    slot.park()
    again = asyncio.create_task(slot.resume())
    await settle()
    slots.release()
    await asyncio.wait_for(asyncio.gather(resuming, again), 1)
    slot.close()
    assert slots.free == 1


async def test_a_parked_slot_that_is_closed_gives_nothing_back_twice() -> None:
    slots = Slots(1)
    await slots.acquire()
    slot = Slot(slots)
    slot.park()
    slot.close()
    slot.close()
    assert slots.free == 1


async def test_a_cancelled_resumption_holds_nothing() -> None:
    slots = Slots(1)
    await slots.acquire()
    slot = Slot(slots)
    slot.park()
    await slots.acquire()
    resuming = asyncio.create_task(slot.resume())
    await settle()
    resuming.cancel()
    await asyncio.gather(resuming, return_exceptions=True)
    slot.close()
    assert slots.free == 0
    slots.release()
    assert slots.free == 1


async def test_a_closed_attempt_whose_task_still_resumes_takes_nothing() -> None:
    slots = Slots(1)
    await slots.acquire()
    slot = Slot(slots)
    slot.park()
    await slots.acquire()
    resuming = asyncio.create_task(slot.resume())
    await settle()
    slot.close()
    slots.release()
    await settle()
    resuming.cancel()
    await asyncio.gather(resuming, return_exceptions=True)
    assert slots.free == 1


async def test_without_slots_there_is_nothing_to_park() -> None:
    slot = Slot(None)
    slot.park()
    await slot.resume()
    slot.close()
