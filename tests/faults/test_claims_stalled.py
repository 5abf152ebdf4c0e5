"""An executor stalls between the decision to claim and its write, with copies of the message in its hands."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.unit.core.actions import claim, spec

from upwell._core.model import ActionKey, ActionRecord, Status
from upwell._exec.transition import transition
from upwell._local.sqlite import SqliteStore
from upwell.testing.clock import SkippingClock

COPIES = 8
LONGER_THAN_A_LEASE_S = 100.0


class Stalled:
    """The store, whose first writes all wait until the lease of each has run out."""

    def __init__(self, store: SqliteStore, clock: SkippingClock) -> None:
        self._store, self._clock = store, clock
        self._waiting = 0
        self._over = asyncio.Event()

    async def get(self, key: ActionKey) -> ActionRecord | None:
        return await self._store.get(key)

    async def save(self, record: ActionRecord, *, expected: int | None) -> bool:
        if not self._over.is_set():
            self._waiting += 1
            if self._waiting == COPIES:
                self._clock.skip(LONGER_THAN_A_LEASE_S)
                self._over.set()
            await self._over.wait()
        return await self._store.save(record, expected=expected)


async def test_copies_that_are_claimed_too_late_are_not_lost_executors(tmp_path: Path) -> None:
    clock = SkippingClock()
    store = Stalled(SqliteStore(tmp_path / "state.db"), clock)
    action = spec()
    key = ActionKey(action.run.run_id, action.action_id)
    claims = [claim(action, f"lease-{n}", now=clock.now()) for n in range(COPIES)]
    await asyncio.gather(*(transition(store, clock, key, one) for one in claims))  # type: ignore[arg-type]  # of the store, what a transition uses
    record = await store.get(key)
    assert record is not None
    assert (record.status, record.attempt, record.losses) == (Status.RUNNING, 1, 0)
    await transition(store, clock, key, claim(action, "later", now=clock.now()), known=record)  # type: ignore[arg-type]
    later = await store.get(key)
    assert later is not None
    assert (later.attempt, later.losses) == (2, 1)
