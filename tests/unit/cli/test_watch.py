"""Following runs, on the local store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from upwell._client import watch as watching
from upwell._client.backend import Backend, open_backend
from upwell._client.config import current_config
from upwell._client.watch import Snapshot, watch, watch_on
from upwell._core.model import ActionSpec, Payload, RunRecord, RunSpec, Status, TaskSpec
from upwell.errors import RunNotFoundError

SPEC = RunSpec(run_id="r1", created_at=1.0)
TASK = TaskSpec(name="env.main", module="flow", pool="default")
ROOT = ActionSpec(run=SPEC, action_id="a0", task=TASK, inputs=Payload(text="{}", size_bytes=2))
RUN = RunRecord(spec=SPEC, task="env.main", status=Status.RUNNING, root=ROOT)

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
async def backend(folder: object) -> AsyncIterator[Backend]:
    """Give the local backend of an empty folder."""
    async with open_backend("local", current_config()) as opened:
        yield opened


async def statuses(snapshots: AsyncIterator[Snapshot]) -> list[Status]:
    return [snapshot.run.status async for snapshot in snapshots]


async def test_it_ends_with_the_run(backend: Backend) -> None:
    await backend.store.save_run(RUN, expected=None)
    seen = []
    async for snapshot in watch("r1"):
        seen.append(snapshot.run.status)
        if len(seen) == 1:
            ended = replace(RUN, status=Status.SUCCEEDED, version=2, ended_at=2.0)
            await backend.store.save_run(ended, expected=1)
    assert seen == [Status.RUNNING, Status.SUCCEEDED]


async def test_it_waits_for_the_record_of_a_run_that_was_just_submitted(backend: Backend) -> None:
    following = asyncio.create_task(statuses(watch("r1")))
    await asyncio.sleep(0)
    await backend.store.save_run(replace(RUN, status=Status.FAILED, ended_at=2.0), expected=None)
    assert await following == [Status.FAILED]


async def test_the_record_of_an_older_submission_is_not_the_runs(backend: Backend) -> None:
    failed = replace(RUN, status=Status.FAILED, ended_at=2.0)
    await backend.store.save_run(failed, expected=None)
    following = asyncio.create_task(statuses(watch("r1", generation=2)))
    await asyncio.sleep(0)
    again = replace(failed, spec=replace(SPEC, generation=2), status=Status.SUCCEEDED, version=2)
    await backend.store.save_run(again, expected=1)
    assert await following == [Status.SUCCEEDED]


async def test_stopping_takes_one_more_look(backend: Backend) -> None:
    await backend.store.save_run(RUN, expected=None)
    stop = asyncio.Event()
    stop.set()
    assert await statuses(watch_on(backend, "r1", stop=stop)) == [Status.RUNNING]


async def test_a_run_that_never_appears_is_an_error(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "STARTS_WITHIN_S", 0.0)
    with pytest.raises(RunNotFoundError, match="there is no run 'r1'"):
        await statuses(watch("r1"))
