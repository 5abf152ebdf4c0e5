"""A task that waits for its children gives its places back, and takes them again before it goes on."""

from __future__ import annotations

import asyncio

import pytest

from upwell._exec.parking import LEAVE_AFTER_S, PlacedSlot
from upwell._exec.slots import Slot, Slots
from upwell.testing.clock import SkippingClock


class Places:
    """Places of which a test says whether they are free, and how long it takes to leave them."""

    def __init__(self) -> None:
        self.held = True
        self.is_free = True
        self.may_leave = asyncio.Event()
        self.may_leave.set()

    async def leave(self) -> None:
        await self.may_leave.wait()
        self.held = False

    async def take_limits(self) -> bool:
        self.held = self.held or self.is_free
        return self.held

    def wait_s(self, since: float) -> float:
        return 1.0


class Parking:
    def __init__(self) -> None:
        self.clock = SkippingClock()
        self.places = Places()
        self.slots = Slots(1)
        assert self.slots.try_acquire(1) == 1
        self.slot = PlacedSlot(Slot(self.slots), self.places, self.clock)

    async def passes(self, seconds: float) -> None:
        await settle()
        self.clock.skip(seconds)
        await settle()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
async def parking() -> Parking:
    return Parking()


async def test_a_short_wait_keeps_the_places_and_gives_the_slot_back(parking: Parking) -> None:
    parking.slot.park()
    await parking.passes(LEAVE_AFTER_S / 2)
    assert parking.places.held
    assert parking.slots.free == 1
    await parking.slot.resume()
    await parking.passes(LEAVE_AFTER_S * 2)
    assert parking.places.held
    assert parking.slots.free == 0


async def test_a_long_wait_leaves_them_and_takes_them_again(parking: Parking) -> None:
    parking.slot.park()
    await parking.passes(LEAVE_AFTER_S + 0.1)
    assert not parking.places.held
    await parking.slot.resume()
    assert parking.places.held
    assert parking.slots.free == 0


async def test_who_comes_back_waits_for_a_place_and_takes_no_slot_before(parking: Parking) -> None:
    parking.slot.park()
    await parking.passes(LEAVE_AFTER_S + 0.1)
    parking.places.is_free = False
    back = asyncio.create_task(parking.slot.resume())
    await parking.passes(10)
    assert not back.done()
    assert parking.slots.free == 1
    parking.places.is_free = True
    await parking.passes(10)
    assert back.done()
    assert parking.slots.free == 0


async def test_only_the_last_of_several_waits_comes_back(parking: Parking) -> None:
    parking.slot.park()
    parking.slot.park()
    await parking.passes(LEAVE_AFTER_S + 0.1)
    await parking.slot.resume()
    assert not parking.places.held
    await parking.slot.resume()
    assert parking.places.held


async def test_a_wait_that_begins_while_another_comes_back_leaves_the_places_again(
    parking: Parking,
) -> None:
    parking.slot.park()
    await parking.passes(LEAVE_AFTER_S + 0.1)
    parking.places.is_free = False
    back = asyncio.create_task(parking.slot.resume())
    await settle()
    parking.slot.park()
    parking.places.is_free = True
    await parking.passes(10)
    assert back.done()
    await parking.passes(LEAVE_AFTER_S + 0.1)
    assert not parking.places.held
    await parking.slot.resume()
    assert parking.places.held


async def test_places_that_are_just_being_left_are_taken_when_they_are_left(parking: Parking) -> None:
    """Else it would go on in a place that it is about to leave."""
    parking.places.may_leave.clear()
    parking.slot.park()
    await parking.passes(LEAVE_AFTER_S + 0.1)
    back = asyncio.create_task(parking.slot.resume())
    await settle()
    assert not back.done()
    parking.places.may_leave.set()
    await back
    assert parking.places.held
    await settle()
    assert parking.places.held


async def test_after_the_end_of_the_attempt_nothing_is_left_any_more(parking: Parking) -> None:
    parking.slot.park()
    await settle()
    parking.slot.stop()
    await parking.passes(LEAVE_AFTER_S + 0.1)
    assert parking.places.held
