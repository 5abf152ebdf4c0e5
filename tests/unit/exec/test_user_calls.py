"""Functions of the user's are called where their errors are caught."""

from __future__ import annotations

import asyncio

import pytest

from upwell import errors
from upwell._exec.user_calls import guarded

begun: list[int] = []


async def leaf(n: int) -> int:
    begun.append(n)
    return n


async def leaves(code: int) -> None:
    raise SystemExit(code)


async def test_one_that_is_cancelled_before_it_begins_leaves_no_call_that_nobody_awaits() -> None:
    begun.clear()
    task = asyncio.create_task(guarded(leaf, (1,), {}))
    task.cancel()
    await asyncio.wait({task})  # a coroutine that was never awaited would warn now
    assert task.cancelled()
    assert begun == []


async def test_leaving_python_is_a_failure_of_the_task() -> None:
    with pytest.raises(errors.RuntimeUserError, match=r"sys\.exit\(3\)"):
        await guarded(leaves, (), {"code": 3})
