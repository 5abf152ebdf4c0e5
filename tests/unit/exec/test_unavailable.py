"""A service that cannot be reached for a moment is not the task's failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.exec.engine import engine

import upwell
from upwell import errors
from upwell._core.model import Status

env = upwell.TaskEnvironment("unavailable")


@env.task
async def leaf(n: int) -> int:
    return n


@env.task
async def parent() -> int:
    return await leaf(1) + 1


def unavailable_once(method: Any) -> Any:
    """Return a method that cannot reach its service at the first call that a parent makes."""
    calls: list[object] = []

    async def flaky(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:  # the first one sends the root
            raise errors.UnavailableError("cannot reach AWS")
        return await method(*args, **kwargs)

    return flaky


async def test_an_attempt_that_cannot_reach_its_queue_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine(tmp_path) as local:
        queue = local.platform.kernel.ports.queue
        monkeypatch.setattr(queue, "send", unavailable_once(queue.send))
        result = await local.run(parent)
        assert result.unwrap() == 2
        action = await local.action_of(parent)
    assert [attempt.end for attempt in action.attempts] == ["released", "succeeded"]
    assert (action.failures, action.losses) == (0, 0)


@env.task
async def writes_a_file() -> int:
    attempt = upwell.ctx().attempt or 0
    if attempt == 1:
        raise errors.UnavailableError("cannot reach AWS for s3://bucket/key")
    return attempt


async def test_nor_does_one_whose_own_transfer_cannot(tmp_path: Path) -> None:
    async with engine(tmp_path) as local:
        result = await local.run(writes_a_file)
        action = await local.action_of(writes_a_file)
    assert result.unwrap() == 2
    assert action.status is Status.SUCCEEDED
    assert action.failures == 0
