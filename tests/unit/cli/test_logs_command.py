"""`upwell logs`, on local runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import upwell
from upwell._client.config import init

Cli = Any

LOUD = """
import logging
import sys

import upwell

env = upwell.TaskEnvironment("loud")


@env.task(retries=1)
async def fails() -> None:
    print("attempt", upwell.ctx().attempt)
    print("to stderr", file=sys.stderr)
    raise ValueError("so it ends")


@env.task
async def main(fail: bool = False) -> int:
    print("begins")
    logging.getLogger("mine").warning("[red] is no colour")
    if fail:
        await fails()
    return 7
"""


RUDE = """
import upwell

env = upwell.TaskEnvironment("rude")


@env.task
async def rude() -> None:
    print("\\x1b[2J\\x1b[31mred")
    raise ValueError("\\x1b[2J\\x1b[31mnot red")
"""


@pytest.fixture
def loud(cli: Cli, folder: Path) -> Cli:
    (folder / "loud.py").write_text(LOUD)
    assert cli("run", "loud.py", "main", "--name", "good").code == 0
    assert cli("run", "loud.py", "main", "--fail", "--name", "bad").code == 1
    return cli


def test_lines_of_a_run_say_when_who_and_what(loud: Cli) -> None:
    shown = loud("logs", "bad")
    assert (shown.code, shown.err) == (0, "")
    lines = [line.split(" ", 1)[1].split() for line in shown.out.splitlines()]
    assert [line[1] for line in lines] == ["#1", "#1", "#1", "#1", "#2", "#2"]
    assert [line[0] == "a0" for line in lines] == [True, True, False, False, False, False]
    assert " ".join(lines[1][2:]) == "WARNING mine: [red] is no colour"


def test_lines_of_an_action_and_attempt_as_json(loud: Cli) -> None:
    (action,) = {json.loads(line)["action"] for line in loud("logs", "bad", "--json").out.splitlines()} - {"a0"}
    found = [
        json.loads(line) for line in loud("logs", "bad", action, "--attempt", "2", "--json").out.splitlines()
    ]
    assert [(line["stream"], line["message"], line["attempt"]) for line in found] == [
        ("stdout", "attempt 2", 2),
        ("stderr", "to stderr", 2),
    ]
    assert found[0]["time"].endswith("Z")
    assert found[0]["run"] == "bad"
    found = loud("logs", "bad", action, "--search", "TO STD").out.splitlines()
    assert [line.split(" ", 1)[1] for line in found] == ["#1 to stderr", "#2 to stderr"]


@pytest.mark.parametrize(("run", "code", "says"), [("good", 0, ""), ("bad", 1, "so it ends")])
def test_who_follows_exits_as_the_run_did(loud: Cli, run: str, code: int, says: str) -> None:
    shown = loud("logs", run, "a0", "--follow")
    assert shown.code == code
    assert "begins" in shown.out
    assert says in shown.err


def test_there_are_no_lines_of_what_is_not_there(loud: Cli) -> None:
    assert loud("logs", "good", "nobody").out == ""
    assert "there is no run 'gone'" in loud("logs", "gone").error


def test_who_asks_for_what_is_not_there_is_told(loud: Cli) -> None:
    for asked in (("good", "nobody"), ("good", "a0", "--attempt", "9")):
        done = loud("logs", *asked)
        assert (done.code, done.out) == (0, "")
        assert "there are no such lines; `upwell get actions good`" in done.err


def test_escape_sequences_of_tasks_reach_no_terminal(loud: Cli, folder: Path) -> None:
    (folder / "rude.py").write_text(RUDE)
    done = loud("run", "rude.py", "rude", "--name", "rude")
    assert "not red" in done.err
    assert (
        "\x1b" not in loud("logs", "rude").out + loud("get", "run", "rude").out + done.err.partition("error")[2]
    )


@pytest.mark.parametrize("how", ["option", "variable"])
def test_a_quiet_run_keeps_what_it_does_not_show(loud: Cli, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "variable":
        monkeypatch.setenv("UPWELL_QUIET", "1")
    shown = loud("run", "loud.py", "main", "--name", "calm", *(["--quiet"] if how == "option" else []))
    assert shown.out == "7\n"
    assert "colour" not in shown.err
    assert "begins" in loud("logs", "calm").out


def test_handles_have_the_lines_of_their_action(loud: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    init(mode="local")
    run = upwell.remote.Run.get("good")
    assert run.get_logs() == ["begins", "WARNING mine: [red] is no colour"]
    assert run.get_logs(show_ts=True)[0].endswith("Z begins")
    capsys.readouterr()
    run.show_logs(max_lines=1)
    assert capsys.readouterr().out == "WARNING mine: [red] is no colour\n"
    action = next(a for a in upwell.remote.Action.listall(for_run_name="bad") if a.name != "a0")
    assert action.get_logs(attempt=2) == ["attempt 2", "to stderr"]
