"""Readings of a run that changes while many look at it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from tests.unit.console.conftest import Console

from upwell._console.reading import ENDING_S
from upwell._console.snapshot import Snapshot
from upwell._console.snapshots import Snapshots
from upwell._core.model import ActionKey, RunRecord, Status


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


async def test_a_run_whose_actions_end_after_it_is_asked_for_until_they_have(local_console: Console) -> None:
    store = local_console.backend.store
    run = await store.get_run("good")
    assert run is not None
    child = (await local_console.get("/runs/good/tree", parent="a0"))["rows"][0]["action_id"]
    record = await store.get(ActionKey("good", child))
    assert record is not None
    late = replace(record, status=Status.RUNNING, version=record.version + 1)
    assert await store.save(late, expected=record.version)
    ended = replace(run, ended_at=time.time(), version=run.version + 1)
    assert await store.save_run(ended, expected=run.version)
    assert not (await local_console.get("/runs/good"))["settled"]
    assert await store.save(replace(record, version=late.version + 1), expected=late.version)
    assert (await local_console.get("/runs/good"))["settled"]
    assert await store.save(replace(late, version=late.version + 2), expected=late.version + 1)
    long_ago = replace(ended, ended_at=time.time() - 2 * ENDING_S, version=ended.version + 1)
    assert await store.save_run(long_ago, expected=ended.version)
    assert (await local_console.get("/runs/good"))["settled"], "nobody is left to end it"
