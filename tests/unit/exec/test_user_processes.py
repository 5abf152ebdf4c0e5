"""User code in processes of its own: what passes between, and what happens when they die."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.exec import guests
from tests.unit.exec.engine import Engine, engine, until

from upwell import errors
from upwell._author.task import Task
from upwell._core.limits import MIB
from upwell._core.model import ActionSpec
from upwell._exec.process.memory import private_bytes
from upwell._exec.process.pool import Processes
from upwell._exec.process.zygote import Zygote

ROOT = Path(__file__).parents[3]
ZYGOTE = (sys.executable, "-m", "upwell_runtime.user")


class Here:
    """Finds the code in this checkout."""

    async def folder(self, spec: ActionSpec) -> Path:
        return ROOT


def processes(memory_mib: int | None = None) -> Processes:
    return Processes(Here(), Zygote(ZYGOTE), memory_bytes=memory_mib and memory_mib * MIB)


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Engine]:
    async with engine(tmp_path, users=processes()) as e:
        yield e


@pytest.mark.parametrize(
    ("task", "args", "value"),
    [
        (guests.add, (1,), 2),
        (guests.gathered, (50,), 1275),
        (guests.sync_parent, (5,), 15),
        (guests.passes_on, (3 * MIB,), 3 * MIB),
        (guests.words, (), "hello"),
        (guests.catches, (), "KeyError: 'missing'"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
async def test_values_and_errors_pass_as_bytes(
    local: Engine, task: Task[..., Any], args: tuple[Any, ...], value: Any
) -> None:
    assert (await local.run(task, *args)).unwrap() == value


async def test_user_code_is_elsewhere_and_its_process_serves_the_next_attempt(local: Engine) -> None:
    first = (await local.run(guests.pid)).unwrap()
    assert first != os.getpid()
    assert (await local.run(guests.pid, name="second")).unwrap() == first
    assert (await local.run(guests.other_pid, name="third")).unwrap() not in {first, os.getpid()}


async def test_traces_are_given_back_to_the_next_attempt(local: Engine, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    assert (await local.run(guests.traces_then_fails_once, str(notes))).unwrap() == 10_003
    assert notes.read_text() == "traced\ntraced sync\n"


@pytest.mark.parametrize(
    ("task", "code", "says"),
    [
        (guests.segfaults, "ProcessDiedError", "guests.segfaults was killed by SIGSEGV"),
        (guests.exits_hard, "ProcessDiedError", "ended with exit code 3: something called os._exit"),
        (guests.killed, "ProcessDiedError", "was killed by SIGKILL"),
        (guests.exits, "SystemExit", "the task called sys.exit('bye')"),
        (guests.never_returns, "MaxRuntimeExceededError", "ran longer than max_runtime of 0.3 s"),
        (guests.holds_the_interpreter, "MaxRuntimeExceededError", "ran longer than max_runtime of 0.3 s"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
async def test_a_crash_costs_one_attempt_and_says_why(
    local: Engine, task: Task[..., Any], code: str, says: str
) -> None:
    result = await local.run(task)
    assert isinstance(result.error, errors.RuntimeUserError)
    assert result.error.code == code
    assert says in str(result.error)
    assert len(result.actions[0].attempts) == 1
    assert (await local.run(guests.add, 1, name="after")).unwrap() == 2


async def test_a_segmentation_fault_shows_where_it_was(local: Engine) -> None:
    error = (await local.run(guests.segfaults)).error
    assert isinstance(error, errors.ProcessDiedError)
    assert "Segmentation fault" in (error.remote_traceback or "")
    assert "in segfaults" in (error.remote_traceback or "")


async def test_a_task_that_takes_too_much_memory_is_ended_before_its_executor_is(tmp_path: Path) -> None:
    memory_mib = private_bytes(os.getpid()) // MIB + 600  # this process is the executor, and may be large
    async with engine(tmp_path, users=processes(memory_mib)) as local:
        error = (await local.run(guests.eats, 1500)).error
        assert isinstance(error, errors.OOMError)
        assert f"of {memory_mib:,} MiB" in str(error)
        assert "Resources(memory=...)" in str(error)
        assert (await local.run(guests.eats, 5, name="after")).unwrap() == 5


async def test_a_heartbeat_does_not_depend_on_user_code(tmp_path: Path) -> None:
    async with engine(tmp_path, users=processes(), lease_s=0.5, heartbeat_s=0.1) as local:
        result = await local.run(guests.holds_it_for, 1.5)
        assert result.unwrap() == 1.5
        assert [attempt.end for attempt in result.actions[0].attempts] == ["succeeded"]


async def test_a_crash_is_retried_by_the_users_retries(local: Engine) -> None:
    result = await local.run(guests.crashes_once)
    assert result.unwrap() == 5
    assert [attempt.end for attempt in result.actions[0].attempts] == ["failed", "succeeded"]


async def test_who_was_in_the_process_that_another_brought_down_is_tried_again(
    local: Engine, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    result = await local.run(guests.in_company, str(tmp_path / "here"), 4)
    assert result.unwrap() == ["ProcessDiedError", "1", "2", "3"]
    root = next(a for a in result.actions if a.spec.parent_id is None)
    assert root.failures == 0
    for action in result.actions_of(guests.meets):
        assert action.attempts[0].end == "lost"
        assert action.losses == 1
        assert "exit code 7" in (action.attempts[0].error.message if action.attempts[0].error else "")


async def test_a_parent_whose_child_brings_their_process_down_sees_its_error(local: Engine) -> None:
    result = await local.run(guests.child_crashes)
    assert "exit code 3" in result.unwrap()


async def test_a_sync_task_that_is_cancelled_ends_with_its_process(local: Engine, tmp_path: Path) -> None:
    pid = (await local.run(guests.cancels_a_sync_child, str(tmp_path / "pid"))).unwrap()
    await until(lambda: _is_gone(pid))


async def _is_gone(pid: int) -> bool:
    await asyncio.sleep(0)
    return not Path(f"/proc/{pid}").exists()  # noqa: ASYNC240


async def test_nothing_needs_posix_semaphores(tmp_path: Path) -> None:
    """Lambda has no /dev/shm: there, making one raises."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import _multiprocessing\n"
        "def SemLock(*args): raise OSError(38, 'Function not implemented')\n"
        "_multiprocessing.SemLock = SemLock\n"
    )
    command = ("env", f"PYTHONPATH={site}:{':'.join(filter(None, sys.path))}", *ZYGOTE)
    async with engine(tmp_path, users=Processes(Here(), Zygote(command))) as local:
        assert (await local.run(guests.gathered, 3)).unwrap() == 6


async def test_children_that_a_task_leaves_open_end_with_it(local: Engine) -> None:
    result = await local.run(guests.leaves_children, 3)
    assert result.unwrap() == "left"
    ends = [action.outcome and action.outcome.error for action in await local.actions_of(guests.forever)]
    assert [error and error.message for error in ends] == ["its parent guests.leaves_children ended"] * 3
