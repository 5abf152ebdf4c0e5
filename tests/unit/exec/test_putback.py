"""What could not be handled is delivered again soon, and in the end fails with the reason."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.unit.exec.engine import Engine, engine

import upwell
from upwell import errors
from upwell._core.limits import SQS_RECEIVES_MAX
from upwell._core.model import ActionRecord, Status
from upwell._exec import putback

env = upwell.TaskEnvironment("putback")


@pytest.fixture(autouse=True)
def _short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(putback, "DELAY_MIN_S", 0.001)
    monkeypatch.setattr(putback, "DELAY_MAX_S", 0.002)


@env.task
async def child() -> str:
    return "fine"


@env.task
async def parent() -> str:
    try:
        return await child()
    except errors.RuntimeSystemError as e:
        return str(e)


def fail_to_record_the_child(local: Engine, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the store refuse so many times to write that the child succeeded."""
    save, left = local.store.save, times

    async def failing(record: ActionRecord, *, expected: int | None) -> bool:
        nonlocal left
        if record.spec.task.name == child.name and record.status is Status.SUCCEEDED and left > 0:
            left -= 1
            raise OSError("the disk is away")
        return await save(record, expected=expected)

    monkeypatch.setattr(local.store, "save", failing)


async def test_an_action_is_handled_again_until_it_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine(tmp_path) as local:
        fail_to_record_the_child(local, monkeypatch, times=SQS_RECEIVES_MAX - 1)
        result = await asyncio.wait_for(local.run(parent), 20)
        assert result.unwrap() == "fine"
        action = await local.action_of(child)
        assert action.attempt == SQS_RECEIVES_MAX
        assert (action.failures, action.losses) == (0, 0)


async def test_an_action_that_can_never_be_handled_fails_with_what_went_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine(tmp_path) as local:
        fail_to_record_the_child(local, monkeypatch, times=1000)
        result = await asyncio.wait_for(local.run(parent), 20)
        assert "could not be handled 10 times" in result.unwrap()
        assert "the disk is away" in result.unwrap()
        assert (await local.action_of(child)).status is Status.FAILED


async def test_an_action_is_handled_again_though_giving_it_back_fails_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine(tmp_path) as local:
        fail_to_record_the_child(local, monkeypatch, times=1)
        hide, left = local.platform.kernel.ports.queue.hide, putback.TRIES - 1

        async def failing(*args: object) -> None:
            nonlocal left
            if left > 0:
                left -= 1
                raise OSError("the queue is away")
            await hide(*args)  # type: ignore[arg-type]  # handed through

        monkeypatch.setattr(local.platform.kernel.ports.queue, "hide", failing)
        result = await asyncio.wait_for(local.run(parent), 20)
        assert result.unwrap() == "fine"
        assert left == 0
