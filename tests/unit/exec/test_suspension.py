"""Parents that leave while they wait, and go on where they were."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.unit.exec.engine import RUN_ID, Engine, engine, until

import upwell
from upwell import errors
from upwell._author.task import Task
from upwell._core.commands import Wake
from upwell._core.model import ActionKey, Status
from upwell._exec import effects
from upwell._exec.effects import wake

env = upwell.TaskEnvironment("suspension")
LINGER_S = 0.05
gate = threading.Event()
seen: list[str] = []


@pytest.fixture(autouse=True)
def _closed_gate() -> None:
    gate.clear()
    seen.clear()


async def opened() -> None:
    """Wait for the test to open the gate."""
    await asyncio.to_thread(gate.wait, 20)


@env.task
async def child(x: int) -> int:
    await opened()
    return x


@env.task
def sync_child(x: int) -> int:
    gate.wait(20)
    return x


@upwell.trace
async def note(text: str) -> str:
    seen.append(text)
    return text


@env.task
async def one() -> int:
    await note("before")
    return await child(1)


@env.task
async def gathered(n: int) -> list[int]:
    return await asyncio.gather(*[child(i) for i in range(n)])


@env.task
async def as_completed(n: int) -> int:
    return sum([await done for done in asyncio.as_completed([child(i) for i in range(n)])])


@env.task
async def in_a_group(n: int) -> int:
    async with asyncio.TaskGroup() as tasks:
        calls = [tasks.create_task(child(i)) for i in range(n)]
    return sum(call.result() for call in calls)


@env.task
async def mapped(n: int) -> list[int]:
    return await upwell.map(child, range(n), concurrency=3)


@env.task
def sync_parent() -> int:
    return sync_child(2)


@env.task
async def levels(depth: int) -> int:
    return await child(0) if depth == 0 else 1 + await levels(depth - 1)


@env.task
async def busy() -> int:
    call = asyncio.create_task(child(1))
    await opened()  # work of its own
    return await call


@env.task
async def sleepy() -> int:
    call = asyncio.create_task(child(1))
    await asyncio.sleep(10 * LINGER_S)
    gate.set()
    return await call


@env.task
async def slow_to_leave() -> int:
    try:
        return await child(1)
    except asyncio.CancelledError:
        gate.set()
        await asyncio.sleep(10 * LINGER_S)  # the child ends before the suspension is written
        raise


async def is_suspended(engine_: Engine, task: Task[..., Any]) -> bool:
    return any(action.status is Status.SUSPENDED for action in await engine_.actions_of(task))


@pytest.mark.parametrize(
    ("task", "args", "value"),
    [
        (one, (), 1),
        (gathered, (5,), [0, 1, 2, 3, 4]),
        (as_completed, (4,), 6),
        (in_a_group, (4,), 6),
        (mapped, (7,), list(range(7))),
        (sync_parent, (), 2),
        (levels, (2,), 2),
    ],
    ids=lambda value: getattr(value, "name", None),
)
async def test_a_parent_that_waits_leaves_and_goes_on_when_its_child_has_ended(
    tmp_path: Path, task: Task[..., Any], args: tuple[Any, ...], value: Any
) -> None:
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        running = asyncio.create_task(e.run(task, *args))
        await until(lambda: is_suspended(e, task))
        gate.set()
        result = await running
        assert result.unwrap() == value
        root = next(a for a in result.actions if a.spec.parent_id is None)
        assert root.suspension is not None
        assert {attempt.number for attempt in root.attempts} == {1}
        assert [attempt.end for attempt in root.attempts][-2:] == ["suspended", "succeeded"]
        assert all(a.attempt == 1 for a in result.actions)


async def test_the_age_of_a_wait_is_kept_by_replays(tmp_path: Path) -> None:
    """What ends while a woken parent is on its way needs no waking; the longer the wait, the longer its way."""
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        running = asyncio.create_task(e.run(gathered, 2))
        await until(lambda: is_suspended(e, gathered))
        first = (await e.action_of(gathered)).suspension
        await wake(e.platform.kernel, ActionKey(RUN_ID, "a0"))
        await until(lambda: _suspended_times(e, gathered, 2))
        second = (await e.action_of(gathered)).suspension
        gate.set()
        assert (await running).unwrap() == [0, 1]
    assert first is not None
    assert second is not None
    assert second.waiting_since == pytest.approx(first.waiting_since, abs=LINGER_S / 2)


async def _suspended_times(engine_: Engine, task: Task[..., Any], times: int) -> bool:
    suspension = (await engine_.action_of(task)).suspension
    return suspension is not None and suspension.count == times


async def test_traces_before_a_suspension_are_not_executed_again(tmp_path: Path) -> None:
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        running = asyncio.create_task(e.run(one))
        await until(lambda: is_suspended(e, one))
        gate.set()
        assert (await running).unwrap() == 1
    assert seen == ["before"]


@pytest.mark.parametrize("task", [busy, sleepy], ids=lambda task: task.name)
async def test_a_parent_with_work_of_its_own_stays(tmp_path: Path, task: Task[..., Any]) -> None:
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        running = asyncio.create_task(e.run(task))
        await asyncio.sleep(5 * LINGER_S)  # long enough for a suspension, if there were one
        gate.set()
        result = await running
        assert result.unwrap() == 1
        assert (await e.action_of(task)).suspension is None


async def test_a_child_that_ends_while_its_parent_is_leaving_is_not_missed(tmp_path: Path) -> None:
    """It finds its parent running, so it wakes nobody, and the parent hears of it with nobody left to tell."""
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        result = await asyncio.wait_for(e.run(slow_to_leave), 20)
        assert result.unwrap() == 1


async def test_a_child_that_ends_while_the_suspension_is_written_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child finds its parent still running, so only the parent's second look can see its end."""
    wakes: list[Wake] = []

    async def blind(kernel: Any, key: ActionKey, *, again: bool = False, held_until: float = 0.0) -> None:
        wakes.append(Wake(again=again))

    monkeypatch.setattr(effects, "wake", blind)  # children wake nobody
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        save = e.store.save

        async def save_late(record: Any, *, expected: int | None) -> bool:
            if record.status is Status.SUSPENDED:
                gate.set()
                await until(lambda: _ended(e))
            return await save(record, expected=expected)

        monkeypatch.setattr(e.store, "save", save_late)
        assert (await e.run(one)).unwrap() == 1
        assert wakes


@env.task
async def works_first() -> int:
    await asyncio.sleep(0.3)
    return await child(1)


async def _ended(engine_: Engine) -> bool:
    return any(action.status is Status.SUCCEEDED for action in await engine_.actions_of(child))


async def test_an_abort_ends_a_sleeping_parent_and_its_children(tmp_path: Path) -> None:
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        run = await e.submission(gathered, 3)
        running = asyncio.create_task(e.platform.run_to_end(run))
        await until(lambda: is_suspended(e, gathered))
        await e.platform.orchestrator.stop(RUN_ID, "enough")
        assert (await running).status is Status.ABORTED
        assert {a.status for a in await e.actions_of(child)} == {Status.ABORTED}
        gate.set()


async def test_waking_one_that_is_awake_sends_nothing(tmp_path: Path) -> None:
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        gate.set()
        assert (await e.run(one)).unwrap() == 1
        key = ActionKey(RUN_ID, "a0")
        await wake(e.platform.kernel, key, again=True)
        deliveries = await e.platform.kernel.ports.queue.receive("default", 10, 0, 1)
        assert deliveries == []


async def test_one_that_does_not_linger_is_not_suspended_before_it_waits(tmp_path: Path) -> None:
    async with engine(tmp_path, suspends=True, linger_s=0) as e:
        gate.set()
        assert (await asyncio.wait_for(e.run(works_first), 8)).unwrap() == 1
        attempts = (await e.action_of(works_first)).attempts
        assert {one.end for one in attempts[:-1]} <= {"suspended"}
        assert len(attempts) <= 2


async def test_one_that_computes_when_its_process_ends_fails_with_what_to_do(tmp_path: Path) -> None:
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        ends_soon(e)
        result = await e.run(child, 1)
        error = result.error
        assert isinstance(error, errors.MaxRuntimeExceededError)
        assert "reuse_policy" in str(error)
        assert result.run.status is Status.TIMED_OUT
    gate.set()  # a thread waits for it


async def test_one_with_children_is_suspended_when_its_process_ends_whatever_it_does(tmp_path: Path) -> None:
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        ends_soon(e, busy)
        running = asyncio.create_task(e.run(busy))
        await until(lambda: is_suspended(e, busy))
        gate.set()
        assert (await running).unwrap() == 1
        attempts = (await e.action_of(busy)).attempts
        assert "in the middle of work of its own" in attempts[0].note


def ends_soon(engine_: Engine, *tasks: Task[..., Any]) -> None:
    """Let the process, as far as attempts of these tasks (or of all) are told, end within a second."""
    executor = engine_.platform._executor
    handle, now = executor.handle, engine_.platform.kernel.ports.clock.now

    async def handle_soon(delivery: Any, slot: Any = None, **_: Any) -> bool:
        is_told = not tasks or delivery.message.action.task.name in {task.name for task in tasks}
        return await handle(delivery, slot, leave_at=now() + 1 if is_told else None)

    executor.handle = handle_soon  # type: ignore[method-assign]  # what the Lambda handler passes


async def test_one_whose_message_may_be_somebody_elses_does_not_begin_to_wake(tmp_path: Path) -> None:
    """If it died before the parent's message was sent, no message of its own would come again to send it."""
    async with engine(tmp_path, suspends=True, linger_s=LINGER_S) as e:
        running = asyncio.create_task(e.run(one))
        await until(lambda: is_suspended(e, one))
        key, now = ActionKey(RUN_ID, "a0"), e.platform.kernel.ports.clock.now()
        with pytest.raises(effects.LateError):
            await wake(e.platform.kernel, key, held_until=now - 1)
        assert await is_suspended(e, one)
        gate.set()
        assert (await running).unwrap() == 1
