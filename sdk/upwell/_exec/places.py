"""The places that one attempt holds under the limits of its task, and the lock of its cache key.

They are taken before the claim, renewed with the lease, and left at the attempt's end, whatever it is. A task
that waits for its children leaves the places of limits after a moment and takes them again before it goes on,
so that a limited task may call itself; the lock of a cache key it keeps, also while it is suspended.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from upwell._core.holds import HOLD_MAX_S, Hold, choices, doubtful, lock_of, wait_s, wanted
from upwell._core.model import ActionKey, ActionSpec, CacheEntry, Limit, Unusable
from upwell._core.ports import Ports
from upwell._exec.cached import find_whole
from upwell._exec.parking import PlacedSlot
from upwell._exec.slots import Slot

log = logging.getLogger("upwell.executor")

TRIES = 3
"""Places that are tried, where others are faster; then it waits."""


class Places:
    """What one delivery holds. Without limits and a serialized cache it does nothing.

    Args:
        ports: The surroundings.
        spec: The action.
        lease_id: Of the attempt that the delivery may become.
        lease_s: How long a claim holds without an extension.
    """

    def __init__(self, ports: Ports, spec: ActionSpec, lease_id: str, lease_s: float) -> None:
        self._ports = ports
        self._spec = spec
        self._lease_id = lease_id
        self._hold_s = min(lease_s, HOLD_MAX_S)
        self._limits = spec.task.limits
        self._lock = lock_of(spec.task)
        self._held: dict[Limit, Hold] = {}
        self._turn = asyncio.Lock()
        self._slot: PlacedSlot | None = None
        self._was_asleep = False
        self.hit: CacheEntry | None = None
        """What another action computed meanwhile; then this one needs no place."""
        self.unusable: Unusable | None = None
        """What the cache has to no avail."""

    async def take(self) -> float | None:
        """Take the lock, then a place under each limit, all or none; look into the cache where nobody has.

        Returns:
            None when the action may run, or end with `hit`; else when to look again.
        """
        is_root = self._spec.parent_id is None  # nobody has looked for it before it was sent
        if self._lock is not None or is_root:
            is_free = self._lock is None or await self._take(self._lock)
            found = await find_whole(self._ports, self._spec)
            if isinstance(found, CacheEntry):
                if self._lock is not None or await self._is_new():
                    self.hit = found
                    return None
            else:
                self.unusable = found
            if self._lock is not None and not is_free and not await self._is_below_holder(self._lock):
                return self.wait_s(self._spec.queued_at)
        if await self.take_limits():
            return None
        await self.release()
        return self.wait_s(self._spec.queued_at)

    def begin(self) -> None:
        """The claim holds: from now on the lock is this attempt's."""
        self._was_asleep = False

    def park(self, slot: Slot) -> Slot:
        """Return a slot whose parking leaves the places of limits as well."""
        if not self._limits:
            return slot
        self._slot = PlacedSlot(slot, self, self._ports.clock)
        return self._slot

    def wait_s(self, since: float) -> float:
        """Return when to look for a place again, which is longer the longer one has waited."""
        return wait_s(self._ports.clock.now() - since, self._lease_id)

    async def take_limits(self) -> bool:
        """Take a place under each limit, all or none; nothing happens where one is held already."""
        if not self._limits:
            return True
        async with self._turn:
            for limit in self._limits:
                if limit not in self._held and not await self._take(limit):
                    await self._leave_all(self._limits)
                    return False
            return True

    async def leave(self) -> None:
        """Leave the places of limits; the lock stays."""
        if self._limits:
            async with self._turn:
                await self._leave_all(self._limits)

    async def sleep(self) -> None:
        """The attempt is suspended: leave the places of limits, and let the action's record keep the lock."""
        await self.leave()
        lock = self._pop(self._lock)
        if lock is not None:
            await self._ports.store.renew_hold(replace(lock, asleep=True))

    async def release(self) -> None:
        """Leave everything. Where that fails, what is left runs out by itself."""
        if not self._limits and self._lock is None:
            return
        if self._slot is not None:
            self._slot.stop()
        async with self._turn:
            await self._leave_all(self._limits)
            lock = self._pop(self._lock)
            if lock is not None:
                await self._leave(lock)

    async def renew(self) -> bool:
        """Hold on for longer.

        Returns:
            False when a place is lost and no other one is free.
        """
        async with self._turn:
            for limit, hold in list(self._held.items()):
                renewed = replace(hold, expires_at=self._ports.clock.now() + self._hold_s)
                if await self._ports.store.renew_hold(renewed):
                    self._held[limit] = renewed
                elif not await self._take(limit):
                    del self._held[limit]
                    return False
            return True

    async def _is_new(self) -> bool:
        """Whether nobody has run the action yet: one that goes on has children, which it must hear of."""
        record = await self._ports.store.get(ActionKey(self._spec.run.run_id, self._spec.action_id))
        return record is None or not record.attempts

    # --- how --------------------------------------------------------------------------------------------------

    async def _take(self, limit: Limit) -> bool:
        store, now = self._ports.store, self._ports.clock.now()
        asker = wanted(self._spec, limit, self._lease_id, self._ports.executor, now, self._hold_s)
        seen = await store.list_holds(limit.scope)
        keys = doubtful(seen, asker, now)
        records = await store.get_many(keys) if keys else {}
        for choice in choices(limit, seen, records, asker, now)[:TRIES]:
            hold = replace(asker, place=choice.place)
            if await store.take_hold(hold, replaces=choice.replaces):
                self._held[limit] = hold
                self._was_asleep = self._was_asleep or _slept(choice.replaces, hold)
                return True
        return False

    async def _is_below_holder(self, lock: Limit) -> bool:
        """Whether an ancestor of this action has the lock: it waits for us, so we must not wait for it."""
        holders = {hold.action for hold in await self._ports.store.list_holds(lock.scope)}
        run_id, parent_id = self._spec.run.run_id, self._spec.parent_id
        while parent_id is not None and any(holder.run_id == run_id for holder in holders):
            parent = ActionKey(run_id, parent_id)
            if parent in holders:
                return True
            record = await self._ports.store.get(parent)
            parent_id = record.spec.parent_id if record is not None else None
        return False

    async def _leave_all(self, limits: tuple[Limit, ...]) -> None:
        for limit in limits:
            hold = self._pop(limit)
            if hold is not None:
                await self._leave(hold)

    async def _leave(self, hold: Hold) -> None:
        try:
            if self._was_asleep and self._lock is not None and hold.scope == self._lock.scope:
                await self._ports.store.renew_hold(replace(hold, asleep=True))
            else:
                await self._ports.store.release_hold(hold)
        except Exception:
            fields = {"scope": hold.scope, "place": hold.place}
            log.warning("could not leave a place; it runs out by itself", extra=fields, exc_info=True)

    def _pop(self, limit: Limit | None) -> Hold | None:
        return None if limit is None else self._held.pop(limit, None)


def _slept(replaced: Hold | None, hold: Hold) -> bool:
    return replaced is not None and replaced.asleep and replaced.action == hold.action
