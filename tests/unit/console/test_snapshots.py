"""Readings of a run that changes while many look at it."""

from __future__ import annotations

import asyncio

from tests.unit.console.conftest import Console

from upwell._console.snapshot import Snapshot
from upwell._console.snapshots import Snapshots
from upwell._core.model import RunRecord


class SlowSnapshots(Snapshots):
    """Waits in its first reading until it may go on."""

    def __init__(self, console: Console) -> None:
        super().__init__(console.backend.store)
        self.readings = 0
        self.has_begun, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def _read(self, run: RunRecord) -> Snapshot:
        self.readings += 1
        self.has_begun.set()
        await self.may_go_on.wait()
        return await super()._read(run)


async def test_those_who_waited_for_a_reading_share_the_next_one(local_console: Console) -> None:
    run = await local_console.backend.store.get_run("good")
    assert run is not None
    snapshots = SlowSnapshots(local_console)
    first = asyncio.create_task(snapshots.of(run, "1"))
    await snapshots.has_begun.wait()
    waiting = [asyncio.create_task(snapshots.of(run, version)) for version in "2345"]
    await asyncio.sleep(0)  # they ask
    snapshots.may_go_on.set()
    old, *new = await asyncio.gather(first, *waiting)
    assert snapshots.readings == 2
    assert all(each is new[0] and each is not old for each in new)
    assert await snapshots.of(run, "5") is new[0]
    assert await snapshots.of(run, "6") is not new[0]
