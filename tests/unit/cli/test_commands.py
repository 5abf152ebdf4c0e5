"""The commands that look at runs and change them, on the local backend."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from upwell._author import registry
from upwell._core.model import Status
from upwell._local.sqlite import SqliteStore

Cli = Any

FLAKY = """
import pathlib, upwell
env = upwell.TaskEnvironment("flaky")

@env.task
async def step(i: int) -> int:
    with pathlib.Path("done.txt").open("a") as done:
        done.write(f"{i}\\n")
    if i == 2 and not pathlib.Path("fixed").exists():
        raise RuntimeError("not yet")
    return i

@env.task
async def main() -> int:
    return sum([await step(i) for i in range(3)])
"""


@pytest.fixture
def failed(cli: Cli, folder: Path) -> str:
    """Give a run that failed at its third step."""
    (folder / "flaky.py").write_text(FLAKY)
    assert cli("run", "flaky.py", "main", "--name", "f1").code == 1
    return "f1"


def test_no_runs_yet(cli: Cli) -> None:
    assert cli("get", "runs").out == ""
    assert cli("get", "runs", "--json").json == []


def test_runs_are_listed_newest_first(cli: Cli, failed: str) -> None:
    cli("run", "flow.py", "nothing", "--name", "later")
    assert [run["run"] for run in cli("get", "runs", "--json").json] == ["later", "f1"]
    assert [run["run"] for run in cli("get", "runs", "--json", "--limit", "1").json] == ["later"]
    assert [run["run"] for run in cli("get", "runs", "--json", "--status", "failed").json] == ["f1"]
    assert [run["run"] for run in cli("get", "runs", "--json", "--status", "failed", "--limit", "1").json] == [
        "f1"
    ]
    assert (
        cli("get", "runs", "--json", "--status", "succeeded", "--status", "aborted", "--task", "odd").json == []
    )
    assert len(cli("get", "runs", "--json", "--since", "1h").json) == 2
    lines = cli("get", "runs").out.splitlines()
    assert lines[0].split() == ["run", "task", "status", "created", "duration", "labels"]
    assert lines[1].split()[:3] == ["later", "flow.nothing", "succeeded"]


def test_a_run_whose_process_is_gone_is_listed_as_interrupted(cli: Cli, failed: str, folder: Path) -> None:
    store = SqliteStore(folder / ".upwell" / "state.db")
    run = asyncio.run(store.get_run(failed))
    assert run is not None
    gone = replace(run, status=Status.RUNNING, version=run.version + 1, ended_at=None, outcome=None)
    assert asyncio.run(store.save_run(gone, expected=run.version))
    store.close()
    (listed,) = cli("get", "runs", "--json", "--status", "interrupted").json
    assert (listed["run"], listed["alive"], listed["duration_s"]) == (failed, False, None)
    assert cli("get", "runs").out.splitlines()[1].split()[2] == "interrupted"
    assert cli("get", "runs", "--json", "--status", "running").json == []
    assert "use one of running, " in cli("get", "runs", "--status", "queued").error


def test_a_run_with_its_counts(cli: Cli, failed: str) -> None:
    shown = cli("get", "run", failed, "--json").json
    assert shown["status"] == "failed"
    assert shown["alive"] is False
    assert shown["error"]["message"] == "not yet"
    assert shown["counts"] == {"flaky.main": {"failed": 1}, "flaky.step": {"succeeded": 2, "failed": 1}}
    assert "not yet" in cli("get", "run", failed).out


def test_actions_tell_attempts_and_executors(cli: Cli, failed: str) -> None:
    actions = cli("get", "actions", failed, "--json").json
    assert [(a["task"], a["status"]) for a in actions] == [
        ("flaky.main", "failed"),
        ("flaky.step", "succeeded"),
        ("flaky.step", "succeeded"),
        ("flaky.step", "failed"),
    ]
    assert {a["parent"] for a in actions[1:]} == {"a0"}
    (attempt,) = actions[3]["attempts"]
    assert attempt["executor_kind"] == "local"
    assert attempt["error_code"] == "RuntimeError"
    assert attempt["started_at"] <= attempt["ended_at"]
    only = cli("get", "actions", failed, "--json", "--task", "step", "--status", "failed").json
    assert [a["id"] for a in only] == [actions[3]["id"]]
    assert "local" in cli("get", "actions", failed).out


def test_io_of_a_run_and_of_an_action(cli: Cli, failed: str) -> None:
    action = cli("get", "actions", failed, "--json").json[2]["id"]
    shown = cli("get", "io", failed, action, "--json").json
    assert (shown["inputs"], shown["outputs"]) == ({"i": 1}, {"o0": 1})
    assert cli("get", "io", failed, action).out == "flaky.step succeeded\ninput i: 1\noutput o0: 1\n"
    assert cli("get", "io", failed, "--json").json["error"]["code"] == "RuntimeError"
    missing = cli("get", "io", failed, "nope")
    assert missing.code == 1
    assert "no action 'nope'" in missing.error


def test_a_recovered_run_does_not_repeat_what_succeeded(cli: Cli, failed: str, folder: Path) -> None:
    (folder / "fixed").touch()
    result = cli("recover", failed, "--json")
    assert result.code == 0
    assert result.json["outputs"] == {"o0": 3}
    assert result.json["generation"] == 2
    assert (folder / "done.txt").read_text().split() == ["0", "1", "2", "2"]
    assert "nothing to recover" in cli("recover", failed).error


def test_a_recovery_asks_for_code_that_has_moved(cli: Cli, failed: str, folder: Path) -> None:
    (folder / "fixed").touch()
    (folder / "moved").mkdir()
    (folder / "flaky.py").rename(folder / "moved" / "flaky.py")
    del sys.modules["flaky"]  # a recovery is another process
    registry.forget("flaky")
    lost = cli("recover", failed)
    assert lost.code == 2
    assert "--file FILE.py" in lost.error
    wrong = cli("recover", failed, "--file", "flow.py")
    assert wrong.code == 2
    assert "that is not its file" in wrong.error
    assert cli("recover", failed, "--file", "moved/flaky.py").out == "3\n"


def test_a_run_that_has_ended_cannot_be_aborted(cli: Cli, failed: str) -> None:
    result = cli("abort", failed)
    assert result.code == 1
    assert "has ended already (failed)" in result.error


@pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning")
def test_pickled_values_are_named_and_not_read(cli: Cli, folder: Path) -> None:
    (folder / "plain.py").write_text(
        "import upwell\n"
        "env = upwell.TaskEnvironment('plain')\n"
        "class Plain: pass\n"
        "@env.task\n"
        "async def make():\n"
        "    return Plain()\n"
    )
    result = cli("run", "plain.py", "make", "--name", "p1")
    assert result.code == 0
    assert "pickle" in result.out
    assert cli("get", "io", "p1", "--json").json["outputs"]["o0"]["pickle"] is True


def test_version(cli: Cli) -> None:
    assert cli("version").out.startswith("upwell ")
    assert set(cli("version", "--json").json) == {"version", "python"}


@pytest.mark.parametrize(
    "command", [(), ("run",), ("get",), ("get", "runs"), ("abort",), ("recover",), ("sandbox",), ("deploy",)]
)
def test_every_command_has_help(cli: Cli, command: tuple[str, ...]) -> None:
    result = cli(*command, "--help")
    assert result.code == 0
    assert "Usage: upwell" in result.out


def test_help_tells_the_exit_codes(cli: Cli) -> None:
    codes = "Exit codes: 0 done, 1 failure, 2 wrong usage, 124 waited too long, 130 interrupted"
    for command in ((), ("--help",), ("run", "--help")):
        assert codes in " ".join(cli(*command).out.split())


def test_the_status_of_no_sandbox(cli: Cli) -> None:
    result = cli("sandbox", "status", "--json")
    assert (result.code, result.json) == (1, {"running": False})
    assert cli("sandbox", "stop", "--json").json == {"stopped": False}


def test_what_a_run_costs_by_task_and_in_all(cli: Cli, failed: str) -> None:
    shown = cli("get", "cost", failed, "--json").json
    assert shown["actions"] == 4
    assert {name: task["actions"] for name, task in shown["tasks"].items()} == {
        "flaky.main": 1,
        "flaky.step": 3,
    }
    assert shown["run_usd"] == pytest.approx(130.25e-6)
    rest_usd = shown["run_usd"] + shown["view_usd"]
    assert shown["usd"] == pytest.approx(rest_usd + sum(t["usd"] for t in shown["tasks"].values()), abs=1e-8)
    assert shown["usd"] == pytest.approx(sum(shown["services"].values()), abs=1e-8)
    assert shown["usd"] == pytest.approx(shown["control_usd"] + shown["compute_usd"], abs=1e-8)
    assert shown["usage"]["transitions"] == 5
    text = cli("get", "cost", failed)
    assert "would cost on AWS" in text.out
    assert "flaky.step" in text.out
    assert "not counted: traces" in text.err
