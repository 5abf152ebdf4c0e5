"""Children of a task: called, waited for, cancelled, left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.unit.exec.engine import engine

import upwell
from upwell import errors
from upwell._core.model import Status
from upwell.testing.flows import LocalFlows

env = upwell.TaskEnvironment("calls")
started: list[str] = []
ended: list[str] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    started.clear()
    ended.clear()


async def both_have_started() -> None:
    while len(started) < 2:  # noqa: ASYNC110  # each run has a loop, and thus would need an event, of its own
        await asyncio.sleep(0.005)


@env.task
async def echo(n: int) -> int:
    return n


@env.task
async def forever(name: str) -> None:
    started.append(name)
    try:
        await asyncio.Event().wait()
    finally:
        ended.append(name)


@env.task
async def middle() -> None:
    await asyncio.gather(forever("one"), forever("two"))


@env.task
async def gather_500() -> list[int]:
    return await asyncio.gather(*(echo(n) for n in range(500)))


def test_500_children_come_back_in_order(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(gather_500)
    assert result.unwrap() == list(range(500))
    assert len(result.actions_of(echo)) == 500


# --- cancelled, left behind ---


@env.task
async def gives_up_waiting() -> str:
    call = asyncio.create_task(middle())
    await both_have_started()
    try:
        await asyncio.wait_for(call, 0.01)
    except TimeoutError:
        return "timed out"
    return "ended"


@env.task
async def returns_without_waiting() -> str:
    left = asyncio.create_task(middle())
    await both_have_started()
    assert not left.done()
    return "left"


@env.task
async def fails_beside() -> None:
    await both_have_started()
    raise KeyError("sibling")


@env.task
async def gathers_a_failure() -> None:
    await asyncio.gather(middle(), fails_beside())


def test_a_call_that_is_cancelled_aborts_the_child_and_what_is_below_it(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(gives_up_waiting)
    assert result.unwrap() == "timed out"
    assert {a.status for a in result.actions_of(middle) + result.actions_of(forever)} == {Status.ABORTED}
    assert sorted(ended) == ["one", "two"]


def test_children_that_are_not_awaited_are_aborted_when_their_parent_ends(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(returns_without_waiting)
    assert result.unwrap() == "left"
    assert {a.status for a in result.actions_of(middle) + result.actions_of(forever)} == {Status.ABORTED}
    assert sorted(ended) == ["one", "two"]


def test_a_failure_that_ends_the_parent_aborts_the_siblings(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(gathers_a_failure)
    with pytest.raises(errors.RuntimeUserError, match="sibling"):
        result.unwrap()
    assert {a.status for a in result.actions_of(middle) + result.actions_of(forever)} == {Status.ABORTED}
    assert sorted(ended) == ["one", "two"]


@env.task
async def cancelled_in_the_queue() -> str:
    call = asyncio.create_task(echo(1))
    call.cancel()
    await asyncio.wait({call})
    return "cancelled" if call.cancelled() else "not cancelled"


def test_a_call_that_is_cancelled_before_it_began_never_runs(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(cancelled_in_the_queue)
    assert result.unwrap() == "cancelled"
    assert {a.status for a in result.actions_of(echo)} <= {Status.ABORTED}


# --- how much at once ---

at_once: list[int] = []
most_at_once = 0


@env.task
async def measured(n: int) -> int:
    global most_at_once
    at_once.append(n)
    most_at_once = max(most_at_once, len(at_once))
    for _ in range(20):
        await asyncio.sleep(0)
    at_once.remove(n)
    return n


@env.task
async def gather_30() -> int:
    return sum(await asyncio.gather(*(measured(n) for n in range(30))))


@pytest.mark.parametrize(("max_in_flight", "most"), [(3, 3), (1000, 30)])
async def test_a_parent_has_so_many_children_under_way(tmp_path: Path, max_in_flight: int, most: int) -> None:
    global most_at_once
    most_at_once = 0
    async with engine(tmp_path, max_in_flight=max_in_flight) as local:
        result = await local.run(gather_30)
    assert result.unwrap() == sum(range(30))
    assert most_at_once <= most
    assert most_at_once >= min(3, most)


@env.task
async def leaves_calls_that_have_no_turn_yet() -> str:
    calls = [asyncio.create_task(forever(name)) for name in ("one", "two", "three")]
    await both_have_started()
    return f"left {len(calls)}"


async def test_a_call_that_waits_for_its_turn_at_the_end_is_never_made(tmp_path: Path) -> None:
    async with engine(tmp_path, max_in_flight=2) as local:
        result = await local.run(leaves_calls_that_have_no_turn_yet)
    assert result.unwrap() == "left 3"
    assert [a.status for a in result.actions_of(forever)] == [Status.ABORTED] * 2


narrow = upwell.TaskEnvironment("narrow", reuse_policy=upwell.ReusePolicy(replicas=1, concurrency=1))


@narrow.task
async def depth(levels: int) -> int:
    if levels == 0:
        return 0
    below = await asyncio.gather(depth(levels - 1), depth(levels - 1))
    return 1 + max(below)


@narrow.task
def depth_sync(levels: int) -> int:
    return 0 if levels == 0 else 1 + depth_sync(levels - 1)


def test_a_pool_of_one_slot_runs_a_recursion_of_its_own_tasks(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(depth, 3)
    assert result.unwrap() == 3
    assert len(result.actions) == 2**4 - 1


def test_a_pool_of_one_slot_runs_a_recursion_of_sync_tasks(upwell_flows: LocalFlows) -> None:
    assert upwell_flows.run(depth_sync, 3).unwrap() == 3
