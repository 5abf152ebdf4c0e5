"""What is remembered of the asyncio tasks of an attempt."""

from __future__ import annotations

import asyncio

from upwell._exec.blocked import ROOM_MIN, Tasks


async def test_tasks_that_are_over_are_forgotten_and_one_that_goes_on_is_not() -> None:
    tasks, event = Tasks(), asyncio.Event()
    waits = asyncio.create_task(event.wait())
    tasks.add(waits)
    over = [asyncio.create_task(asyncio.sleep(0)) for _ in range(5 * ROOM_MIN)]
    await asyncio.gather(*over)
    for task in over:
        tasks.add(task)
    assert len(tasks._all) <= ROOM_MIN
    assert not tasks.wait_for_children_only()
    tasks.awaiting.add(waits)
    assert tasks.wait_for_children_only()
    event.set()
    await waits
