"""Leases of tasks that block their event loop."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.exec.engine import engine

import upwell
from upwell._exec.environment import SystemClock
from upwell._exec.pulse import Pulse
from upwell._local.queue import MemoryQueue
from upwell._local.sqlite import SqliteStore

env = upwell.TaskEnvironment("pulse")
extended: list[float] = []


@env.task
async def blocks_its_loop() -> int:
    until = time.monotonic() + 10
    while len(extended) < 3 and time.monotonic() < until:
        time.sleep(0.005)  # noqa: ASYNC251  # what a careless program does
    return len(extended)


async def test_the_lease_of_a_task_that_blocks_its_loop_is_extended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extended.clear()
    async with engine(tmp_path, heartbeat_s=0.02) as local:
        beside = SqliteStore(tmp_path / "state.db")
        save = beside.save

        async def noting(record: Any, *, expected: int | None) -> bool:
            saved = await save(record, expected=expected)
            if saved:
                extended.append(record.lease.expires_at)
            return saved

        monkeypatch.setattr(beside, "save", noting)
        ports = replace(local.platform.kernel.ports, store=beside, queue=MemoryQueue(SystemClock()))
        monkeypatch.setattr(local.platform._executor, "pulse", Pulse(ports))
        result = await local.run(blocks_its_loop)
        beside.close()
    assert result.unwrap() >= 3
    assert extended == sorted(extended)
    assert [attempt.end for attempt in result.actions_of(blocks_its_loop)[0].attempts] == ["succeeded"]
