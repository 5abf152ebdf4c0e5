"""Messages that a worker received ahead: started when a slot is free, given back otherwise, never lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.unit.exec.engine import Engine, engine, until

import upwell
from upwell._core.model import ActionKey, ActionRecord, RunRecord, Status
from upwell._core.ports import Delivery
from upwell._exec import worker as worker_module
from upwell._exec.executor import Executor
from upwell._exec.worker import Worker
from upwell._local.orchestrator import LocalOrchestrator
from upwell._local.queue import MemoryQueue

env = upwell.TaskEnvironment("ahead", reuse_policy=upwell.ReusePolicy(replicas=1, concurrency=1))
gate = threading.Event()
begun: list[int] = []
POOL = "ahead"
AHEAD = 4


@env.task
async def job(x: int) -> int:
    """Job 0 takes until the gate opens."""
    begun.append(x)
    if x == 0:
        await asyncio.to_thread(gate.wait, 20)
    return x


async def is_first_begun() -> bool:
    return begun == [0]


@dataclass
class Pool:
    """A queue and what it takes to serve it by workers of a test's own."""

    engine: Engine
    queue: MemoryQueue
    executor: Executor
    runs: list[RunRecord]

    async def submit(self, count: int) -> None:
        """Send so many jobs, each the root of a run of its own."""
        for x in range(count):
            run = await self.engine.submission(job, x, name=f"run-{x}")
            await self.executor.kernel.ports.orchestrator.start(run)
            self.runs.append(run)

    def worker(self, visibility_s: float = 30.0) -> Worker:
        return Worker(self.executor.kernel, self.executor, pool=POOL, slots=1, visibility_s=visibility_s)

    async def records(self) -> list[ActionRecord | None]:
        keys = [ActionKey(run.spec.run_id, run.root.action_id) for run in self.runs]
        return [await self.engine.store.get(key) for key in keys]

    async def are_done(self, xs: range) -> None:
        """Wait for the end of jobs."""

        async def all_succeeded() -> bool:
            records = (await self.records())[xs.start :]
            return all(record is not None and record.status is Status.SUCCEEDED for record in records)

        await until(all_succeeded, within_s=20)


@pytest.fixture
async def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pool]:
    monkeypatch.setattr(worker_module, "ahead", lambda *_, **__: AHEAD)
    gate.clear()
    begun.clear()
    async with engine(tmp_path) as opened:
        kernel = opened.platform.kernel
        queue = MemoryQueue(kernel.ports.clock)
        orchestrator = LocalOrchestrator(opened.store, queue, kernel.ports.clock)
        ports = replace(kernel.ports, queue=queue, orchestrator=orchestrator)
        executor = Executor(replace(kernel, ports=ports), lease_s=kernel.settings.lease_s)
        yield Pool(opened, queue, executor, [])
        gate.set()


async def test_what_was_received_ahead_runs_once_each(pool: Pool) -> None:
    gate.set()
    await pool.submit(12)
    serving = asyncio.create_task(pool.worker().serve())
    await pool.are_done(range(12))
    serving.cancel()
    assert sorted(begun) == list(range(12))
    assert {record.attempt for record in await pool.records() if record is not None} == {1}


async def test_what_does_not_start_soon_is_given_to_another_worker(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "HELD_AT_MOST_S", 0.05)
    await pool.submit(1 + AHEAD)
    first = asyncio.create_task(pool.worker().serve())
    await until(is_first_begun)
    second = asyncio.create_task(pool.worker().serve())
    await pool.are_done(range(1, 1 + AHEAD))  # while the first one is still at its first
    assert not gate.is_set()
    first.cancel()
    second.cancel()


async def test_a_worker_that_stops_gives_back_at_once_what_it_did_not_start(pool: Pool) -> None:
    await pool.submit(1 + AHEAD)
    serving = asyncio.create_task(pool.worker().serve())
    await until(is_first_begun)
    gate.set()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    back = await pool.queue.receive(POOL, 10, 0.0, 30.0)
    ids = {delivery.message.action.action_id for delivery in back}
    assert {run.root.action_id for run in pool.runs[1:]} <= ids
    assert [record for record in (await pool.records())[1:] if record is not None] == []  # no attempt was begun


async def test_what_a_killed_worker_held_comes_again_and_costs_no_attempt(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pool.submit(1 + AHEAD)
    serving = asyncio.create_task(pool.worker(visibility_s=0.2).serve())
    await until(is_first_begun)

    async def dead(delivery: Delivery, visibility_s: float) -> None:
        raise ConnectionError("a killed process gives nothing back")

    with monkeypatch.context() as killed:
        killed.setattr(pool.queue, "hide", dead)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    gate.set()
    another = asyncio.create_task(pool.worker().serve())
    await pool.are_done(range(1, 1 + AHEAD))
    another.cancel()
    records = [record for record in (await pool.records())[1:] if record is not None]
    assert {record.attempt for record in records} == {1}
    assert {record.losses for record in records} == {0}
