"""Following runs: JSON lines, the outcome as exit code, waiting no longer than asked."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from upwell._cli.failures import WaitedTooLongError
from upwell._cli.following import within
from upwell._client.local import LocalBackend
from upwell._core.model import RunRecord, Status

Cli = Any


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_followed_as_json_it_is_a_line_for_each_change_and_one_for_the_end(cli: Cli) -> None:
    done = cli("run", "flow.py", "total", "--n", "2", "--name", "r", "--follow", "--json")
    *changes, end = lines(done.out)
    assert done.code == 0
    assert changes[-1]["counts"] == {"flow.double": {"succeeded": 2}, "flow.total": {"succeeded": 1}}
    assert len({json.dumps(change) for change in changes}) == len(changes)
    assert (end["run"], end["status"], end["outputs"]) == ("r", "succeeded", {"o0": 2.0})


def test_a_run_that_has_ended_is_followed_to_its_outcome(cli: Cli) -> None:
    cli("run", "flow.py", "pair", "--x", "1", "--name", "good")
    assert cli("get", "run", "good", "--follow").out == "o0: 1\no1: é\n"
    cli("run", "flow.py", "boom", "--name", "bad")
    bad = cli("get", "run", "bad", "--follow", "--json")
    assert (bad.code, lines(bad.out)[-1]["error"]["code"]) == (1, "ValueError")


def test_a_run_whose_process_is_gone_is_not_waited_for(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("run", "flow.py", "nothing", "--name", "r")
    _reopened(monkeypatch)
    done = cli("get", "run", "r", "--follow")
    assert done.code == 1
    assert "nothing works on run r any more; `upwell recover r`" in done.error


def test_what_is_not_over_in_time_has_an_exit_code_of_its_own(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("run", "flow.py", "nothing", "--name", "r")
    _reopened(monkeypatch)
    monkeypatch.setattr(LocalBackend, "is_alive", _alive)
    done = cli("get", "run", "r", "--follow", "--timeout", "50ms")
    assert done.code == 124
    assert "run r has not ended and goes on" in done.error


def _reopened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all runs look as if they had not ended."""
    from upwell._local.sqlite import SqliteStore

    stored = SqliteStore.get_run

    async def get_run(self: SqliteStore, run_id: str) -> RunRecord | None:
        from dataclasses import replace

        record = await stored(self, run_id)
        return record and replace(record, status=Status.RUNNING, outcome=None, ended_at=None)

    monkeypatch.setattr(SqliteStore, "get_run", get_run)


async def _alive(self: LocalBackend, run: RunRecord) -> bool:
    return True


async def test_a_timeout_of_what_is_awaited_is_not_ours() -> None:
    async def slow() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await within(5, slow(), "late")
    with pytest.raises(WaitedTooLongError, match="late"):
        await within(0.01, asyncio.Event().wait(), "late")


def test_recoveries_and_reruns_have_a_timeout(cli: Cli, folder: Path) -> None:
    (folder / "slow.py").write_text(
        "import asyncio, upwell\n"
        "env = upwell.TaskEnvironment('slow')\n"
        "@env.task\n"
        "async def wait(s: float) -> None:\n"
        "    await asyncio.sleep(s)\n"
    )
    assert cli("run", "slow.py", "wait", "--s", "60", "--name", "r", "--timeout", "100ms").code == 1
    for command in (("recover", "r"), ("rerun", "r", "--name", "again")):
        done = cli(*command, "--timeout", "100ms")
        assert (done.code, "timed out" in done.error) == (1, True)
    assert "--timeout: expects a length of time" in cli("recover", "r", "--timeout", "soon").error


def test_one_action_is_shown_in_detail(cli: Cli) -> None:
    cli("run", "flow.py", "boom", "--name", "bad")
    shown = cli("get", "action", "bad", "--json").json
    assert (shown["run"], shown["id"], shown["error"]["code"]) == ("bad", "a0", "ValueError")
    text = cli("get", "action", "bad").out
    assert "error ValueError: no [way]" in text
    assert "raise ValueError(text)" in text
    assert "no action 'x' that was begun" in cli("get", "action", "bad", "x").error


def test_the_configuration_is_shown(cli: Cli, folder: Path) -> None:
    (folder / "upwell.toml").write_text("stage = 'prod'\n")
    assert cli("get", "config", "--backend", "aws", "--json").json["stage"] == "prod"
    assert "stage      prod" in cli("get", "config").out


def test_what_would_be_deployed_is_printed(cli: Cli, folder: Path) -> None:
    (folder / "pools.py").write_text(
        "import upwell\n"
        "warm = upwell.TaskEnvironment('warm', reuse_policy=upwell.ReusePolicy(replicas=(1, 4)))\n"
        "env = upwell.TaskEnvironment('cold', depends_on=[warm])\n"
        "other = upwell.TaskEnvironment('other', resources=upwell.Resources(memory='2Gi'))\n"
    )
    shown = cli("deploy", "pools.py", "cold", "--dry-run", "--json").json
    assert {pool: asked["kind"] for pool, asked in shown.items()} == {"default": "lambda", "warm": "worker"}
    assert shown["warm"]["parameters"]["ReplicasMax"] == 4
    assert "other: lambda MemoryMiB=2048" in cli("deploy", "pools.py", "--dry-run").out


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "NO_COLOR"])
def test_colours_are_for_who_wants_them(cli: Cli, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    cli("run", "flow.py", "boom", "--name", "bad")
    assert "\x1b" not in cli("get", "runs").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    if variable == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    assert ("\x1b[31mfailed" in cli("get", "runs").out) == (variable == "FORCE_COLOR")


def test_the_shell_completes_names_of_runs(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("first", "fourth", "second"):
        cli("run", "flow.py", "nothing", "--name", name)
    monkeypatch.setenv("_UPWELL_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "upwell get run f")
    monkeypatch.setenv("COMP_CWORD", "3")
    capsys.readouterr()
    from upwell._cli.app import run_app

    with pytest.raises(SystemExit):
        run_app(sys.argv[1:])
    assert capsys.readouterr().out.split() == ["fourth", "first"]
