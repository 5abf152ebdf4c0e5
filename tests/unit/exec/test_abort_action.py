"""Aborting one action from outside: it ends wherever it is, with what is below it and nothing else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.exec.engine import RUN_ID, Engine, engine, until

import upwell
from upwell import errors
from upwell._author.task import Task
from upwell._core.commands import Abort
from upwell._core.journal import Journal
from upwell._core.model import ActionKey, Status
from upwell._exec.control import abort_named, control_kernel, find_action, open_children
from upwell._exec.replay import read_journal
from upwell._exec.transition import transition
from upwell._local.platform import LOCAL_SETTINGS
from upwell.testing.flows import FlowResult

env = upwell.TaskEnvironment("abort-action")
one_slot = upwell.TaskEnvironment(
    "abort-action-narrow", reuse_policy=upwell.ReusePolicy(replicas=1, concurrency=1)
)
gate = threading.Event()
cancelled: list[str] = []
LINGER_S = 0.05


@pytest.fixture(autouse=True)
def _closed_gate() -> None:
    gate.clear()
    cancelled.clear()


@env.task
async def endless(x: int) -> int:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        cancelled.append(f"endless {x}")
        raise
    return x


@env.task
def endless_sync(x: int) -> int:
    gate.wait(30)
    return x


@env.task(retries=upwell.RetryStrategy(count=3, backoff=upwell.Backoff(base=timedelta(hours=1))))
async def fails(x: int) -> int:
    raise ValueError(str(x))


@one_slot.task
async def narrow(x: int) -> int:
    await asyncio.to_thread(gate.wait, 30)
    return x


@env.task
async def middle(x: int) -> int:
    return await endless(x)


@env.task
async def quick(x: int) -> int:
    await asyncio.to_thread(gate.wait, 30)
    return x


async def said_by(call: Any) -> str:
    try:
        return str(await call)
    except errors.ActionAbortedError as e:
        return f"aborted: {e}"


@env.task
async def over_endless() -> list[str]:
    return await asyncio.gather(said_by(endless(1)), said_by(quick(2)))


@env.task
async def over_sync() -> list[str]:
    return await asyncio.gather(said_by(endless_sync.aio(1)), said_by(quick(2)))


@env.task
async def over_failing() -> list[str]:
    return await asyncio.gather(said_by(fails(1)), said_by(quick(2)))


@env.task
async def over_middle() -> list[str]:
    return await asyncio.gather(said_by(middle(1)), said_by(quick(2)))


@env.task
async def over_narrow() -> list[str]:
    first = asyncio.create_task(narrow(1))
    await asyncio.sleep(0)
    return await asyncio.gather(said_by(narrow(2)), said_by(first))


@asynccontextmanager
async def patient(root: Path, *, suspends: bool = False) -> AsyncIterator[Engine]:
    async with engine(root, suspends=suspends, heartbeat_s=0.02, poll_min_s=0.02, linger_s=LINGER_S) as e:
        try:
            yield e
        finally:
            gate.set()


async def abort_from_outside(e: Engine, action_id: str) -> Status:
    """Abort from a process that shares nothing but the store and the queue."""
    kernel = control_kernel(e.platform.kernel.ports, LOCAL_SETTINGS, "local")
    return await abort_named(kernel, RUN_ID, action_id, "enough")


async def id_of(e: Engine, task: Task[..., Any], status: Status) -> str:
    """Return the id of the only action of a task, once it is in a state."""

    async def is_there() -> bool:
        return [a.status for a in await e.actions_of(task)] == [status]

    await until(is_there)
    return (await e.action_of(task)).spec.action_id


async def ended(running: asyncio.Task[FlowResult]) -> FlowResult:
    return await asyncio.wait_for(running, 20)


@pytest.mark.parametrize("suspends", [False, True], ids=["parked", "suspended"])
@pytest.mark.parametrize(
    ("parent", "child", "status"),
    [
        (over_endless, endless, Status.RUNNING),
        (over_sync, endless_sync, Status.RUNNING),
        (over_failing, fails, Status.QUEUED),
        (over_middle, middle, Status.RUNNING),
    ],
    ids=["running", "running sync", "in backoff", "with a child"],
)
async def test_an_aborted_action_raises_in_its_parent_and_its_sibling_goes_on(
    tmp_path: Path, parent: Task[..., Any], child: Task[..., Any], status: Status, *, suspends: bool
) -> None:
    async with patient(tmp_path, suspends=suspends) as e:
        running = asyncio.create_task(e.run(parent))
        is_parent = child is middle
        action = await id_of(e, child, Status.SUSPENDED if suspends and is_parent else status)
        if is_parent:
            await id_of(e, endless, Status.RUNNING)
        if suspends:
            await id_of(e, parent, Status.SUSPENDED)
        assert await abort_from_outside(e, action) is Status.ABORTED
        assert await _is(e, child, Status.ABORTED)
        if child in (endless, middle):
            await until(_is_cancelled)  # its code has seen it
            assert await _is(e, endless, Status.ABORTED)
        gate.set()
        assert (await ended(running)).unwrap() == ["aborted: enough", "2"]


async def _is_cancelled() -> bool:
    return cancelled == ["endless 1"]


async def _is(e: Engine, task: Task[..., Any], status: Status) -> bool:
    return {a.status for a in await e.actions_of(task)} == {status}


async def test_a_queued_action_that_nobody_has_claimed_is_found_in_its_parents_journal(tmp_path: Path) -> None:
    async with patient(tmp_path) as e:
        running = asyncio.create_task(e.run(over_narrow))
        claimed = await id_of(e, narrow, Status.RUNNING)
        children: list[str] = []

        async def both_are_sent() -> bool:
            journal = Journal(1)
            await read_journal(e.store, ActionKey(RUN_ID, "a0"), journal)
            children[:] = journal.open
            return len(children) == 2

        await until(both_are_sent)
        (waiting,) = set(children) - {claimed}
        assert await abort_from_outside(e, waiting) is Status.ABORTED
        gate.set()
        result = await ended(running)
        assert sorted(result.unwrap()) == ["1", "aborted: enough"]
        assert [a.attempts for a in await e.actions_of(narrow) if a.status is Status.ABORTED] == [()]


async def test_a_queued_action_that_nobody_has_claimed_is_among_its_parents_open_children(
    tmp_path: Path,
) -> None:
    async with patient(tmp_path) as e:
        running = asyncio.create_task(e.run(over_narrow))
        await id_of(e, narrow, Status.RUNNING)

        async def both_are_sent() -> bool:
            return len(await open_children(e.store, await e.action_of(over_narrow))) == 2

        await until(both_are_sent)
        children = await open_children(e.store, await e.action_of(over_narrow))
        assert {child.status for child in children} == {Status.QUEUED}
        assert {child.spec.task.name for child in children} == {narrow.name}
        gate.set()
        await ended(running)
        assert await open_children(e.store, await e.action_of(over_narrow)) == []


async def test_an_abort_whose_author_died_half_way_is_made_whole_by_another(tmp_path: Path) -> None:
    """The end is recorded; the parent, which is suspended, has not been told."""
    async with patient(tmp_path, suspends=True) as e:
        running = asyncio.create_task(e.run(over_middle))
        action = await id_of(e, middle, Status.SUSPENDED)
        await id_of(e, over_middle, Status.SUSPENDED)
        spec = await find_action(e.store, RUN_ID, action)
        assert spec is not None
        clock = e.platform.kernel.ports.clock
        await transition(e.store, clock, ActionKey(RUN_ID, action), Abort(spec=spec, reason="enough"))
        assert await abort_from_outside(e, action) is Status.ABORTED
        gate.set()
        assert (await ended(running)).unwrap() == ["aborted: enough", "2"]
        assert await _is(e, endless, Status.ABORTED)


async def test_one_that_has_ended_stays_as_it_is(tmp_path: Path) -> None:
    async with patient(tmp_path) as e:
        running = asyncio.create_task(e.run(over_endless))
        action = await id_of(e, quick, Status.RUNNING)
        gate.set()
        await id_of(e, quick, Status.SUCCEEDED)
        assert await abort_from_outside(e, action) is Status.SUCCEEDED
        await abort_from_outside(e, await id_of(e, endless, Status.RUNNING))
        assert (await ended(running)).unwrap() == ["aborted: enough", "2"]


async def test_what_is_not_there_is_an_error_that_says_where_to_look(tmp_path: Path) -> None:
    async with patient(tmp_path) as e:
        running = asyncio.create_task(e.run(over_endless))
        action = await id_of(e, endless, Status.RUNNING)
        with pytest.raises(errors.ActionNotFoundError, match="no action 'nope'; `upwell get actions run`"):
            await abort_from_outside(e, "nope")
        await abort_from_outside(e, action)
        gate.set()
        await ended(running)


# --- children still open when their parent ends ---


@env.task
async def leaves_children(kind: str) -> str:
    calls = {"running": endless, "suspended": middle, "in backoff": fails}
    call = asyncio.create_task(calls[kind](1))
    await asyncio.to_thread(gate.wait, 30)
    call.get_name()
    return "left"


@pytest.mark.parametrize(
    ("kind", "child", "status"),
    [
        ("running", endless, Status.RUNNING),
        ("suspended", middle, Status.SUSPENDED),
        ("in backoff", fails, Status.QUEUED),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("parent_is_aborted", [False, True], ids=["parent returned", "parent aborted"])
async def test_children_that_are_open_when_their_parent_ends_are_ended(
    tmp_path: Path, kind: str, child: Task[..., Any], status: Status, *, parent_is_aborted: bool
) -> None:
    @env.task
    async def root() -> str:
        return await said_by(leaves_children(kind))

    async with patient(tmp_path, suspends=True) as e:
        running = asyncio.create_task(e.run(root))
        await id_of(e, child, status)
        if parent_is_aborted:
            await abort_from_outside(e, (await e.action_of(leaves_children)).spec.action_id)
        else:
            gate.set()
        result = await ended(running)
        assert result.unwrap() == ("aborted: enough" if parent_is_aborted else "left")
        await until(lambda: _is(e, child, Status.ABORTED))
        if kind == "suspended":
            await until(lambda: _is(e, endless, Status.ABORTED))


async def test_a_queued_child_is_ended_with_its_parent(tmp_path: Path) -> None:
    async with patient(tmp_path) as e:
        running = asyncio.create_task(e.run(over_narrow))
        await id_of(e, narrow, Status.RUNNING)
        await e.platform.orchestrator.stop(RUN_ID, "enough")
        assert (await ended(running)).run.status is Status.ABORTED
        await until(lambda: _is(e, narrow, Status.ABORTED))
        assert len(await e.actions_of(narrow)) == 2
