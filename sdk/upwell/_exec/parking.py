"""What a task that waits for its children gives back besides its slot."""

from __future__ import annotations

import asyncio
import logging
from contextvars import Context
from typing import Protocol

from upwell._core.ports import Clock
from upwell._exec.slots import Slot

log = logging.getLogger("upwell.executor")

LEAVE_AFTER_S = 1.0
"""A shorter wait keeps the places: to leave and to take them again costs requests."""


class Limited(Protocol):
    """Places under limits that can be left and taken again."""

    async def leave(self) -> None:
        """Leave the places."""

    async def take_limits(self) -> bool:
        """Take them again; False where one is not free."""

    def wait_s(self, since: float) -> float:
        """Return when to look again."""


class PlacedSlot(Slot):
    """A slot, and the places under limits that are given back with it.

    A place is taken before the slot: who holds a slot never waits for a place.

    Args:
        slot: Of the attempt.
        places: Of the attempt.
        clock: Tells when a wait is long.
    """

    def __init__(self, slot: Slot, places: Limited, clock: Clock) -> None:
        super().__init__(None)
        self._slot = slot
        self._places = places
        self._clock = clock
        self._calls = 0
        self._leaving: asyncio.Task[None] | None = None
        self._is_leaving = False

    def park(self) -> None:
        """A wait begins."""
        self._calls += 1
        self._slot.park()
        if self._calls == 1:
            self._leave_soon()

    async def resume(self) -> None:
        """A wait ends; the last one returns when the places are held again."""
        self._calls -= 1
        if self._calls == 0:
            await self._come_back()
        await self._slot.resume()

    def stop(self) -> None:
        """Leave no place any more; what is being left is left."""
        if self._leaving is not None and not self._is_leaving:
            self._leaving.cancel()

    def _leave_soon(self) -> None:
        self.stop()
        self._is_leaving = False
        # In a context of its own: its sleep is not the task's.
        self._leaving = asyncio.create_task(self._leave(), context=Context())

    async def _leave(self) -> None:
        await self._clock.sleep(LEAVE_AFTER_S)
        self._is_leaving = True
        await self._places.leave()

    async def _come_back(self) -> None:
        self.stop()
        if self._leaving is not None:
            await asyncio.wait({self._leaving})
        since = self._clock.now()
        while self._calls == 0 and not await self._are_held():
            await self._clock.sleep(self._places.wait_s(since))
        if self._calls:  # another wait has begun meanwhile
            self._leave_soon()

    async def _are_held(self) -> bool:
        try:
            return await self._places.take_limits()
        except Exception:  # the store is out of reach: the lease decides how long to go on trying
            log.warning("could not take a place again; trying again", exc_info=True)
            return False
