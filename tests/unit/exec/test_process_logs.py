"""What tasks print and log in processes of their own."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.exec import loud_guests
from tests.unit.exec.engine import LOG, Engine, engine
from tests.unit.exec.test_user_processes import ZYGOTE, Here

from upwell._core.limits import LOG_BURST_LINES, LOG_LINES_PER_S
from upwell._exec.process.pool import Processes
from upwell._exec.process.zygote import Zygote
from upwell._local.log_files import LogFile
from upwell.testing.flows import FlowResult

TOKEN = "correct horse"


@pytest.fixture
async def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    monkeypatch.setenv("LOUD_TOKEN", TOKEN)
    lines = LogFile(tmp_path / LOG)
    async with engine(tmp_path, users=Processes(Here(), Zygote(ZYGOTE), lines=lines.write)) as e:
        yield e
    lines.close()


def texts(result: FlowResult, *, stream: str | None = None) -> list[str]:
    return [line.text for line in result.lines if stream in (None, line.stream)]


async def test_tasks_that_share_a_process_do_not_mix(local: Engine) -> None:
    result = await local.run(loud_guests.at_once)
    assert len(set(result.unwrap())) == 1
    for action in await local.actions_of(loud_guests.talks):
        own = [line.text for line in result.lines if line.action_id == action.spec.action_id]
        assert own == [f"{own[0].split()[0]} {n}" for n in range(20)]


async def test_messages_have_their_level_and_streams_their_name(local: Engine) -> None:
    lines = (await local.run(loud_guests.logs)).lines
    assert [(line.stream, line.level, line.logger, line.text) for line in lines] == [
        ("logging", "INFO", "mine", "is info"),
        ("logging", "WARNING", "upwell.user", "watch out"),
        ("stderr", "", "", "to stderr"),
    ]


async def test_what_goes_past_python_is_the_attempts_that_is_alone(local: Engine) -> None:
    result = await local.run(loud_guests.past_python)
    result.unwrap()
    said = ["first", "a subprocess has ***", "C code", "a thread"]
    assert sorted(texts(result, stream="stdout")) == sorted(said)
    assert texts(result, stream="stderr") == ["bytes without end"]
    assert {(line.action_id, line.attempt) for line in result.lines} == {("a0", 1)}


async def test_a_secret_that_two_attempts_write_half_each_is_hidden(local: Engine) -> None:
    result = await local.run(loud_guests.begins_to_tell)
    result.unwrap()
    assert sorted(texts(result)) == ["*** and more", "the token is "]


@pytest.mark.parametrize("how", ["exit", "segfault"])
async def test_what_a_process_printed_before_it_died_is_kept(local: Engine, how: str) -> None:
    result = await local.run(loud_guests.dies, how)
    assert result.error is not None
    assert texts(result) == ["the last words", "the token is ***"]


async def test_a_fork_of_the_process_prints_for_its_attempt(local: Engine) -> None:
    assert sorted(texts(await local.run(loud_guests.forks))) == ["the fork", "the parent"]


async def test_what_is_printed_without_end_is_bounded(local: Engine) -> None:
    began = time.monotonic()
    found = texts(await local.run(loud_guests.never_stops, 4 * LOG_BURST_LINES))
    took_s = time.monotonic() - began
    assert len(found) <= LOG_BURST_LINES + LOG_LINES_PER_S * (took_s + 1) + took_s
    assert "lines are left out here" in found[-1]


async def test_a_subprocess_that_writes_without_end_stops_nothing(local: Engine) -> None:
    (await local.run(loud_guests.leaves_a_writer)).unwrap()
    result = await local.run(loud_guests.forks, name="second")
    assert sorted(set(texts(result)))[-2:] == ["the fork", "the parent"]
    assert len(result.lines) <= 2 * LOG_BURST_LINES


async def test_lines_go_to_the_standard_output_of_an_executor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with engine(
        tmp_path, users=Processes(Here(), Zygote((sys.executable, "-m", "upwell_runtime.user")))
    ) as e:
        await e.run(loud_guests.logs)
    assert '"source":"run/a0"' in capsys.readouterr().out.splitlines()[0]
