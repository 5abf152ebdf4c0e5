"""What tasks print and log in one process: told apart, bounded, without secrets; the rest is left alone."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
import threading
from collections.abc import AsyncIterator
from contextvars import copy_context
from pathlib import Path

import pytest
from tests.unit.exec.engine import LOG, Engine, engine

import upwell
from upwell._core.limits import LOG_BURST_BYTES, LOG_BURST_LINES, LOG_LINE_CHARS
from upwell._core.log_lines import LogLine, Redactor
from upwell._exec.logs.attempt_log import AttemptLog, print_line
from upwell._exec.logs.capture import captured
from upwell._exec.process.strays import Strays
from upwell._exec.user_code import InProcess
from upwell._local.log_files import LogFile
from upwell._local.platform import LOCAL_TRANSFERS, RegistryLoader
from upwell.testing import LocalFlows

env = upwell.TaskEnvironment("printers", secrets=["printers-token"])
TOKEN = "correct horse"
others = logging.getLogger("somebody.elses")


class Written:
    """A log of a test, and what was written to it."""

    def __init__(self, action: str = "a", *secrets: str, echo: bool = False) -> None:
        self.now = 1000.0
        self.lines: list[LogLine] = []
        self.log = AttemptLog(
            action,
            run_id="r",
            attempt=1,
            sink=self._take,
            now=lambda: self.now,
            secrets=Redactor(secrets),
            echo=echo,
        )

    def _take(self, text: str) -> None:
        line = LogLine.load(text)
        assert line is not None
        self.lines.append(line)

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]


# --- one log ------------------------------------------------------------------------------------------------


def test_a_line_is_done_when_it_ends_and_the_last_one_when_the_attempt_does() -> None:
    written = Written()
    for text in ("on", "e\ntwo\n", "thr", "ee"):
        written.log.write("stdout", text)
    assert written.texts == ["one", "two"]
    written.log.close()
    assert written.texts == ["one", "two", "three"]


def test_the_streams_do_not_mix_in_a_line() -> None:
    written = Written()
    written.log.write("stdout", "out ")
    written.log.write("stderr", "err\n")
    written.log.write("stdout", "again\n")
    assert [(line.stream, line.text) for line in written.lines] == [("stderr", "err"), ("stdout", "out again")]


def test_of_a_bar_that_progresses_the_last_state_is_kept() -> None:
    written = Written()
    for percent in range(0, 101, 20):
        written.log.write("stderr", f"\r{percent} %")
    written.log.write("stderr", "\r\n")
    assert written.texts == ["100 %"]


def test_no_part_of_a_secret_is_shown_where_a_line_is_cut_though_others_before_it_were_hidden() -> None:
    secret = "0123456789" * 4
    written = Written("a", secret)
    written.log.write("stdout", 2 * secret + "x" * (LOG_LINE_CHARS - 60) + secret)
    written.log.write("stdout", "\n")
    assert "01" not in written.texts[0]


def test_of_a_bar_with_more_states_than_a_line_has_characters_too() -> None:
    written = Written()
    for n in range(LOG_LINE_CHARS):
        written.log.write("stderr", f"\r{n}")
    written.log.write("stderr", "\r")
    written.log.write("stderr", "\n")
    assert written.texts == [str(LOG_LINE_CHARS - 1)]


def test_a_line_that_is_longer_than_all_that_may_be_written_at_once_is_cut() -> None:
    written = Written()
    written.log.write("stdout", "x" * (LOG_BURST_BYTES + 1) + "\n")
    [text] = written.texts
    assert text.startswith("xxx")
    assert "cut" in text


def test_what_nobody_reads_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = io.StringIO()
    gone.close()
    monkeypatch.setattr(sys, "stdout", gone)
    print_line("{}")


def test_strays_hide_the_secrets_of_attempts_that_have_ended() -> None:
    lines: list[str] = []
    secrets = Redactor()
    strays = Strays(lines.append, secrets)
    strays.log([]).write("stdout", "before\n")
    secrets.add(["correct horse"])
    strays.log([]).write("stdout", "it is correct horse\n")
    assert [json.loads(line)["message"] for line in lines] == ["before", "it is ***"]


def test_a_secret_is_hidden_wherever_a_write_ends() -> None:
    written = Written("a", "correct horse")
    for part in (
        "it is corr",
        "ect ho",
        "rse",
        "\n",
        "x" * (LOG_LINE_CHARS - 5),
        "correct horse",
        "y" * 100,
        "\n",
    ):
        written.log.write("stdout", part)
    assert written.texts[0] == "it is ***"
    assert "corr" not in written.texts[1]
    assert "cut" in written.texts[1]


def test_what_is_printed_without_end_is_bounded_and_says_what_is_left_out() -> None:
    written = Written()
    for n in range(3 * LOG_BURST_LINES):
        written.log.write("stdout", f"{n}\n")
    assert len(written.lines) == LOG_BURST_LINES
    written.now += 1
    written.log.write("stdout", "later\n")
    told, later = written.texts[-2:]
    assert told.startswith(f"... {2 * LOG_BURST_LINES:,} lines are left out here")
    assert later == "later"


def test_a_line_without_end_takes_bounded_memory() -> None:
    written = Written()
    for _ in range(100):
        written.log.write("stdout", "x" * 10_000)
    assert sum(map(len, written.log._begun.values())) <= LOG_LINE_CHARS + 1
    written.log.close()
    assert "cut" in written.texts[0]


def test_text_that_cannot_be_encoded_is_kept_as_far_as_it_can() -> None:
    written = Written()
    written.log.write("stdout", "half \ud800, whole é\n")
    assert written.texts == ["half ?, whole é"]


# --- the process --------------------------------------------------------------------------------------------


def test_outside_of_tasks_print_is_what_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout, sys.stderr, logging.Logger.callHandlers
    written = Written()
    outside = copy_context()
    with captured(written.log):
        outside.run(print, "outside")
        print("inside")
    print("after")
    assert (sys.stdout, sys.stderr, logging.Logger.callHandlers) == before
    assert written.texts == ["inside"]
    assert capsys.readouterr().out == "outside\nafter\n"


def test_what_is_caught_is_shown_where_it_would_have_been(capsys: pytest.CaptureFixture[str]) -> None:
    written = Written(echo=True)
    with captured(written.log):
        print("to the", end=" ")
        print("terminal")
        print("and errors", file=sys.stderr)
    assert written.texts == ["to the terminal", "and errors"]
    assert capsys.readouterr() == ("to the terminal\n", "and errors\n")


def test_a_stream_that_stands_in_has_what_the_other_has() -> None:
    encoding = sys.stdout.encoding
    with captured(Written().log):
        assert sys.stdout.encoding == encoding
        assert sys.stdout.writable()
        sys.stdout.writelines(["a", "b\n"])
        with pytest.raises(AttributeError):
            _ = sys.stdout.nothing  # type: ignore[attr-defined]  # that is what is tested


def test_a_message_is_taken_once_whatever_its_handlers_print(capsys: pytest.CaptureFixture[str]) -> None:
    written = Written(echo=True)
    with captured(written.log):
        handler = logging.StreamHandler()  # to the stream that stands in
        others.addHandler(handler)
        try:
            others.warning("is %s", "it")
            try:
                raise KeyError("k")
            except KeyError:
                others.exception("failed")
        finally:
            others.removeHandler(handler)
    (first, second) = written.lines
    assert (first.text, first.level, first.logger, first.stream) == (
        "is it",
        "WARNING",
        "somebody.elses",
        "logging",
    )
    assert second.text.startswith("failed\nTraceback")
    assert second.text.endswith("KeyError: 'k'")
    assert capsys.readouterr().err.count("is it") == 1


def test_the_engines_messages_are_no_tasks() -> None:
    written = Written()
    with captured(written.log):
        logging.getLogger("upwell.executor").warning("the engine's")
        upwell.logger.warning("the user's")
    assert written.texts == ["the user's"]


def test_who_patches_logging_meanwhile_is_left_in_place() -> None:
    own = logging.Logger.callHandlers
    with captured(Written().log):
        inner = logging.Logger.callHandlers

        def patched(logger: logging.Logger, record: logging.LogRecord) -> None:
            inner(logger, record)

        logging.Logger.callHandlers = patched  # type: ignore[method-assign]  # as tools do
    try:
        assert logging.Logger.callHandlers is patched
        written = Written()
        with captured(written.log):
            others.warning("once")
        assert written.texts == ["once"]
    finally:
        logging.Logger.callHandlers = own  # type: ignore[method-assign]


# --- tasks --------------------------------------------------------------------------------------------------


@env.task
async def talks(name: str) -> None:
    for n in range(20):
        print(name, end=" ")
        await asyncio.sleep(0)
        print(n)


@env.task
def talks_in_a_thread(name: str) -> None:
    for n in range(20):
        print(name, n)


@env.task
async def at_once() -> None:
    print("parent begins")
    threads = [asyncio.create_task(talks_in_a_thread.aio(f"thread{n}")) for n in range(2)]
    await asyncio.gather(talks("left"), talks("right"), *threads)
    print("parent ends")


@env.task
async def tells() -> None:
    print(f"the token is {TOKEN}")
    raise ValueError("so it ends")


@env.task
async def item(n: int) -> int:
    print("item", n)
    return n


@env.task
async def maps() -> None:
    await upwell.map(item, range(4), batch=2)


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Engine]:
    lines = LogFile(tmp_path / LOG)
    users = InProcess(RegistryLoader(), LOCAL_TRANSFERS, lines=lines.write, echo=False)
    async with engine(tmp_path, users=users) as e:
        yield e
    lines.close()


async def test_tasks_that_print_at_the_same_time_do_not_mix(local: Engine) -> None:
    lines = (await local.run(at_once)).lines
    of = {action.spec.action_id: [] for action in (await local.actions_of(talks))}
    of |= {action.spec.action_id: [] for action in (await local.actions_of(talks_in_a_thread))}
    for line in lines:
        of.setdefault(line.action_id, []).append(line.text)
    assert of.pop("a0") == ["parent begins", "parent ends"]
    assert sorted(texts[0].split()[0] for texts in of.values()) == ["left", "right", "thread0", "thread1"]
    for texts in of.values():
        name = texts[0].split()[0]
        assert texts == [f"{name} {n}" for n in range(20)]


async def test_a_secret_of_this_process_is_hidden_in_lines(
    local: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRINTERS_TOKEN", TOKEN)
    assert [line.text for line in (await local.run(tells)).lines] == ["the token is ***"]


async def test_items_of_a_batch_have_lines_of_their_own(local: Engine) -> None:
    lines = (await local.run(maps)).lines
    assert sorted(line.text for line in lines) == [f"item {n}" for n in range(4)]
    assert len({line.action_id for line in lines}) == 2
    assert len({line.item for line in lines}) == 4
    assert "" not in {line.item for line in lines}


def test_flows_of_tests_show_and_keep_what_is_printed(
    upwell_flows: LocalFlows, capsys: pytest.CaptureFixture[str]
) -> None:
    result = upwell_flows.run(item, 3)
    assert [(line.action_id, line.attempt, line.text) for line in result.lines] == [("a0", 1, "item 3")]
    assert capsys.readouterr().out == "item 3\n"


def test_a_thread_that_a_task_left_behind_prints_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    written, go = Written(), threading.Event()
    with captured(written.log):
        context = copy_context()
        thread = threading.Thread(target=lambda: (go.wait(), context.run(print, "late")))
        thread.start()
    go.set()
    thread.join()
    assert (written.texts, capsys.readouterr().out) == ([], "late\n")
