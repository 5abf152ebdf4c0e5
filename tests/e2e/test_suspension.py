"""A Lambda parent that waits for longer than it lingers, on the sandbox."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import upwell
from upwell import ReusePolicy, TaskEnvironment
from upwell._client.backend import open_backend
from upwell._client.config import current_config
from upwell._core.model import ActionKey

pytestmark = pytest.mark.e2e

workers = TaskEnvironment("suspension-workers", reuse_policy=ReusePolicy(replicas=(1, 1), concurrency=4))
parents = TaskEnvironment("suspension-parents", depends_on=[workers])
CHILD_S = 8.0
"""Longer than the five seconds that a parent lingers."""


@workers.task
async def slow(x: int, duration_s: float) -> int:
    await asyncio.sleep(duration_s)
    return x


@parents.task
async def chain(steps: int) -> int:
    total = 0
    for step in range(steps):
        total += await slow(step, CHILD_S)
    return total


def test_a_waiting_parent_leaves_its_invocation_and_is_woken(sandbox: dict[str, Any]) -> None:
    run = upwell.run(chain, steps=2)
    assert run.outputs() == (1,)

    async def root() -> Any:
        async with open_backend("sandbox", current_config()) as backend:
            return await backend.store.get(ActionKey(run.name, run.action.name))

    record = asyncio.run(root())
    assert record.suspension is not None
    assert record.suspension.count == 2
    assert [attempt.end for attempt in record.attempts] == ["suspended", "suspended", "succeeded"]
    assert {attempt.number for attempt in record.attempts} == {1}
    assert {attempt.executor.kind for attempt in record.attempts} == {"lambda"}
