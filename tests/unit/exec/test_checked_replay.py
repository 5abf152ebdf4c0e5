"""Parents that ask for something else when they replay are told so, or failed where the run is strict."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.unit.exec.engine import Engine, engine, until

import upwell
from upwell._author.task import Task
from upwell._client.options import RunOptions
from upwell._core.model import ActionKey, ActionRecord, Status
from upwell._exec.effects import wake
from upwell.errors import NonDeterminismError, NonDeterminismWarning
from upwell.testing.flows import FlowResult, LocalFlows

env = upwell.TaskEnvironment("checked-replay")
LINGER_S = 0.05
gate = threading.Event()
plays: list[str] = []
"""Which tasks have begun, and how often: what no deterministic program would look at."""


@pytest.fixture(autouse=True)
def _fresh() -> None:
    gate.clear()
    plays.clear()


def play(name: str = "") -> int:
    plays.append(name)
    return plays.count(name)


@env.task
async def quick(x: int) -> int:
    return x


@env.task
async def gated(x: int) -> int:
    await asyncio.to_thread(gate.wait, 20)
    return x


@upwell.trace
async def looked_up(key: int) -> int:
    return key


@env.task
async def steady() -> int:
    first = await asyncio.gather(*[quick(n) for n in range(5)])
    found = [await looked_up(1)]
    return sum(first) + found[0] + await gated(1)


@env.task
async def other_inputs() -> int:
    return await quick(play()) + await gated(1)


@env.task
async def other_task() -> int:
    call = quick(1) if play() == 1 else gated(2)
    return await call + await gated(1)


@env.task
async def other_group() -> int:
    with upwell.group(f"g{play()}"):
        await quick(1)
    return await gated(1)


@env.task
async def fewer() -> int:
    done = await asyncio.gather(*[quick(n) for n in range(30 if play() == 1 else 3)])
    return len(done) + await gated(1)


@env.task
async def other_trace() -> int:
    return await looked_up(play()) + await gated(1)


@env.task
def sync_other_inputs() -> int:
    return sync_quick(play()) + sync_gated(1)


@env.task
def sync_quick(x: int) -> int:
    return x


@env.task
def sync_gated(x: int) -> int:
    gate.wait(20)
    return x


@env.task
async def first_is_late(x: int) -> int:
    return await gated(x) if x == 0 else x


@env.task
async def finds_the_first() -> int:
    """The map runs ahead while its first call lasts; when it replays, its first result is there at once."""
    results = upwell.map(first_is_late, range(40), concurrency=4, return_exceptions=False)
    return await anext(aiter(results))


FICKLE = [other_inputs, other_task, other_group, fewer, other_trace, sync_other_inputs]


async def suspended_once(e: Engine, task: Task[..., Any], **options: Any) -> FlowResult:
    async def is_suspended() -> bool:
        return any(action.suspension is not None for action in await e.actions_of(task))

    running = asyncio.create_task(e.run(task, **options))
    await until(is_suspended)
    gate.set()
    return await running


def root_of(result: FlowResult) -> ActionRecord:
    return next(action for action in result.actions if action.spec.parent_id is None)


@pytest.mark.filterwarnings("always::upwell.errors.NonDeterminismWarning")
@pytest.mark.parametrize("task", FICKLE, ids=lambda task: task.name)
async def test_a_resumed_parent_that_asks_for_something_else_is_told_so(
    tmp_path: Path, task: Task[..., Any], recwarn: pytest.WarningsRecorder
) -> None:
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        result = await suspended_once(e, task)
        assert result.run.status is Status.SUCCEEDED
        (warning,) = root_of(result).warnings
        assert (warning.code, warning.attempt) == ("NonDeterminismWarning", 1)
        assert f"{task.name} made other calls than its journal holds" in warning.message
        said = [str(w.message) for w in recwarn.list if w.category is NonDeterminismWarning]
        assert said == [warning.message]


@pytest.mark.parametrize("task", FICKLE, ids=lambda task: task.name)
async def test_in_a_strict_run_it_fails_and_is_not_tried_again(tmp_path: Path, task: Task[..., Any]) -> None:
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        result = await suspended_once(e, task.override(retries=3), strict=True)
        assert isinstance(result.error, NonDeterminismError)
        assert "Held, and not asked for" in str(result.error)
        assert root_of(result).failures == 1


@pytest.mark.parametrize("task", [steady, finds_the_first], ids=lambda task: task.name)
async def test_a_parent_that_asks_for_the_same_is_left_in_peace(tmp_path: Path, task: Task[..., Any]) -> None:
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        result = await suspended_once(e, task, strict=True)
        result.unwrap()
        root = root_of(result)
        assert root.suspension is not None
        assert root.warnings == ()


@env.task
async def waits_for_another() -> int:
    """When it replays it comes to wait for a child that it has never asked for before."""
    number = play()
    await quick(number)
    return await gated(number)


async def test_one_that_comes_to_wait_for_other_children_is_told_before_it_sleeps_again(tmp_path: Path) -> None:
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        kernel = e.platform.kernel
        running = asyncio.create_task(e.run(waits_for_another))

        async def slept(times: int) -> bool:
            roots = await e.actions_of(waits_for_another)
            return bool(roots) and roots[0].suspension is not None and roots[0].suspension.count >= times

        await until(lambda: slept(1))
        await wake(kernel, ActionKey("run", "a0"))
        await until(lambda: slept(2))
        (root,) = await e.actions_of(waits_for_another)
        assert [warning.code for warning in root.warnings] == ["NonDeterminismWarning"]
        gate.set()
        (await running).unwrap()


# --- recovery, retries ---


@env.task
async def child_then_failure(x: int) -> int:
    await quick(play())
    if play("failure") == 1:
        raise ValueError("once")
    return x


async def test_a_recovery_that_asks_for_something_else_is_told_so(tmp_path: Path) -> None:
    flows = LocalFlows(tmp_path)
    options = RunOptions(name="again")
    await flows.arun_with(options, child_then_failure, 7)
    result = await flows.arun_with(options, child_then_failure, 7)
    assert result.unwrap() == 7
    assert [warning.code for warning in root_of(result).warnings] == ["NonDeterminismWarning"]


async def test_a_retry_that_asks_for_something_else_is_not(tmp_path: Path) -> None:
    result = await LocalFlows(tmp_path).arun(child_then_failure.override(retries=1), 7)
    assert result.unwrap() == 7
    assert root_of(result).failures == 1
    assert root_of(result).warnings == ()
