"""Ends of user processes that are harder to see than an exit code, and processes that must not end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.unit.exec import guests
from tests.unit.exec.engine import Engine, engine, until
from tests.unit.exec.test_user_processes import ZYGOTE, Here, processes

from upwell import errors
from upwell._core.model import Status
from upwell._exec.boundary import Answer, Call, Start, TraceRecord
from upwell._exec.process.pool import CANCEL_S, Processes
from upwell._exec.process.zygote import Zygote

WITHIN_S = 10.0
"""Far more than it takes, and far less than what would end a hang."""


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Engine]:
    async with engine(tmp_path, users=processes()) as e:
        yield e


@pytest.mark.parametrize("daemon", [False, True], ids=["in its group", "a daemon"])
async def test_a_process_dies_although_another_one_that_it_started_keeps_its_socket(
    local: Engine, tmp_path: Path, daemon: bool
) -> None:
    path = tmp_path / "pid"
    try:
        async with asyncio.timeout(WITHIN_S):
            error = (await local.run(guests.leaves_a_process, str(path), daemon)).error
        assert isinstance(error, errors.ProcessDiedError)
        assert "ended with exit code 3" in str(error)
    finally:
        with suppress(ProcessLookupError):
            os.kill(int(path.read_text()), signal.SIGKILL)


async def test_a_process_that_nobody_can_talk_to_any_more_is_ended(local: Engine) -> None:
    async with asyncio.timeout(WITHIN_S):
        error = (await local.run(guests.closes_its_socket)).error
    assert isinstance(error, errors.ProcessDiedError)


async def test_who_dies_with_the_zygote_is_lost_and_not_to_blame(local: Engine) -> None:
    result = await local.run(guests.loses_its_zygote)
    assert result.unwrap() == 2
    assert [attempt.end for attempt in result.actions[0].attempts] == ["lost", "succeeded"]


async def test_a_zygote_that_cannot_fork_now_keeps_the_processes_that_there_are(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import os\n"
        "fork, forks = os.fork, []\n"
        "def second_fails():\n"
        "    forks.append(1)\n"
        "    if len(forks) == 2: raise BlockingIOError(11, 'Resource temporarily unavailable')\n"
        "    return fork()\n"
        "os.fork = second_fails\n"
    )
    command = ("env", f"PYTHONPATH={site}:{':'.join(filter(None, sys.path))}", *ZYGOTE)
    async with engine(tmp_path, users=Processes(Here(), Zygote(command))) as local:
        first = (await local.run(guests.pid)).unwrap()
        other = await local.run(guests.other_pid, name="second")
        assert other.unwrap() != first
        assert other.actions[0].failures == 0
        assert (await local.run(guests.pid, name="third")).unwrap() == first


async def test_three_idle_processes_are_kept(local: Engine) -> None:
    tasks = (guests.pid, guests.other_pid, guests.third_pid)
    first = [(await local.run(task, name=f"first-{task.name}")).unwrap() for task in tasks]
    again = [(await local.run(task, name=f"again-{task.name}")).unwrap() for task in tasks]
    assert first == again


class NoHost:
    """Is asked for nothing."""

    is_waiting = False

    async def call(self, call: Call, inputs: bytes) -> Answer:
        raise NotImplementedError

    async def record_trace(self, trace: TraceRecord, result: bytes) -> None:
        raise NotImplementedError

    def now(self) -> float:
        return 0.0


async def a_start(local: Engine, scratch: Path) -> Start:
    run = await local.submission(guests.forever)
    return Start(
        spec=run.root,
        attempt=1,
        worker="",
        mode="local",
        blob_prefix="",
        raw_data_prefix="",
        scratch=str(scratch),
    )


async def test_an_attempt_that_is_stopped_before_it_begins_says_so(local: Engine, tmp_path: Path) -> None:
    users, start = processes(), await a_start(local, tmp_path)
    try:
        process = await users.take(start)
        running = process.begin(start, guests.forever.interface.encode_inputs({}), NoHost())
        process.cancel(running)  # both are in the socket before the process has read one
        async with asyncio.timeout(CANCEL_S):
            end, _ = await running.ended
        assert end.status is Status.ABORTED
    finally:
        await users.aclose()


async def test_nothing_begins_in_a_process_that_is_dead_before_its_exit_code_is_known(
    local: Engine, tmp_path: Path
) -> None:
    zygote = Zygote(ZYGOTE)
    users = Processes(Here(), zygote)
    try:
        process = await users.take(await a_start(local, tmp_path))
        assert zygote.pid is not None
        os.kill(zygote.pid, signal.SIGSTOP)  # nobody reports the exit
        os.kill(process.pid, signal.SIGKILL)

        async def is_retired() -> bool:
            return process.retired

        await until(is_retired)
        assert process.death is None
        os.kill(zygote.pid, signal.SIGCONT)
        await process.closed()
    finally:
        await users.aclose()
