"""`upwell run` on the local backend: the real engine, in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

Cli = Any


def test_outputs_go_to_stdout_and_the_rest_to_stderr(cli: Cli) -> None:
    result = cli("run", "flow.py", "total", "--n", "4", "--scale", "0.5")
    assert (result.code, result.out) == (0, "6.0\n")
    assert "succeeded" in result.err


def test_a_task_can_be_named_in_full(cli: Cli) -> None:
    assert cli("run", "flow.py", "flow.total", "--n=3").out == "6.0\n"


def test_json_is_one_document(cli: Cli) -> None:
    shown = cli("run", "flow.py", "total", "--n", "3", "--json").json
    assert shown["status"] == "succeeded"
    assert shown["task"] == "flow.total"
    assert shown["backend"] == "local"
    assert shown["outputs"] == {"o0": 6.0}
    assert shown["duration_s"] > 0


def test_several_outputs_have_names(cli: Cli) -> None:
    assert cli("run", "flow.py", "pair", "--x", "3").out == "o0: 3\no1: é\n"
    assert cli("run", "flow.py", "pair", "--x", "3", "--json").json["outputs"] == {"o0": 3, "o1": "é"}


def test_none_prints_nothing_of_its_own(cli: Cli) -> None:
    assert cli("run", "flow.py", "nothing").out == "said by the task\n"


def test_arguments_of_every_kind(cli: Cli) -> None:
    result = cli(
        "run", "flow.py", "shape", "--p", '{"x": 1, "tags": ["a"]}', "--big", "--names", "b", "--names", "c"
    )
    assert result.out == "1 ['a'] True ['b', 'c']\n"
    assert cli("run", "flow.py", "shape", "--p", '{"x": 1, "tags": []}', "--no-big").out == "1 [] False []\n"
    assert cli("run", "flow.py", "size", "--f", "flow.py").out == f"{Path('flow.py').stat().st_size}\n"
    assert cli("run", "flow.py", "any_value", "--value", "[1, 2]").out == "[1, 2]\n"


def test_a_parameter_goes_before_an_option_of_the_same_name(cli: Cli) -> None:
    result = cli(
        "run",
        "--json",
        "--name",
        "mine",
        "flow.py",
        "--timeout",
        "60s",
        "awkward",
        "--name",
        "x",
        "--timeout",
        "3",
    )
    assert result.json["run"] == "mine"
    assert result.json["outputs"] == {"o0": "x 3 no"}


def test_options_stand_anywhere(cli: Cli, folder: Path) -> None:
    state = str(folder / "elsewhere")
    for arguments in (
        ("--state-dir", state, "run", "flow.py", "total", "--n", "1"),
        ("run", "--state-dir", state, "flow.py", "total", "--n", "1"),
        ("run", "flow.py", "--state-dir", state, "total", "--n", "1"),
        ("run", "flow.py", "total", "--n", "1", "--state-dir", state),
    ):
        assert cli(*arguments).code == 0
    assert not (folder / ".upwell" / "state.db").exists()
    assert len(cli("get", "runs", "--json", "--state-dir", state).json) == 4


def test_the_environment_and_the_file_say_the_backend(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "upwell.toml").write_text('mode = "aws"\n')
    assert "AWS region" in cli("run", "flow.py", "nothing").error
    monkeypatch.setenv("UPWELL_BACKEND", "local")
    assert cli("run", "flow.py", "nothing").code == 0
    monkeypatch.setenv("UPWELL_BACKEND", "aws")
    assert cli("run", "flow.py", "nothing", "--backend", "local").code == 0


def test_without_a_task_the_tasks_are_listed(cli: Cli) -> None:
    shown = cli("run", "flow.py").out
    assert "total" in shown
    assert "--n INT" in shown
    assert "Add up doubles." in shown
    assert "helper" not in shown
    names = [task["task"] for task in cli("run", "flow.py", "--json").json]
    assert "flow.total" in names


def test_help_of_a_task_shows_its_parameters(cli: Cli) -> None:
    result = cli("run", "flow.py", "total", "--help")
    assert result.code == 0
    assert "--n" in result.out
    assert "default: 1.0" in result.out
    assert "[Brackets]" in result.out


def test_a_failed_run_shows_what_the_task_raised(cli: Cli) -> None:
    result = cli("run", "flow.py", "boom", "--name", "b1")
    assert result.code == 1
    assert result.error.startswith("run b1 of flow.boom failed: ValueError: no [way]; ")
    assert "`upwell recover b1`" in result.error
    assert result.err.splitlines()[-1] == "ValueError: no [way]"
    assert 'flow.py", line' in result.err


def test_a_failed_run_is_a_document_too(cli: Cli) -> None:
    result = cli("run", "flow.py", "boom", "--json")
    assert result.code == 1
    assert result.json["error"]["code"] == "ValueError"
    assert result.json["outputs"] is None


def test_a_run_that_takes_too_long_fails(cli: Cli, folder: Path) -> None:
    (folder / "long_flow.py").write_text(
        "import asyncio, upwell\n"
        "env = upwell.TaskEnvironment('long')\n"
        "@env.task\n"
        "async def forever() -> None:\n"
        "    await asyncio.Event().wait()\n"
    )
    result = cli("run", "long_flow.py", "forever", "--timeout", "300ms")
    assert result.code == 1
    assert "timed out: DeadlineExceededError" in result.error


def test_a_warning_is_one_line(cli: Cli, folder: Path) -> None:
    (folder / "warn_flow.py").write_text(
        "import warnings, upwell\n"
        "env = upwell.TaskEnvironment('warn')\n"
        "@env.task\n"
        "async def warn() -> None:\n"
        "    warnings.warn('mind the\\n gap', stacklevel=1)\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.filters", [])
        result = cli("run", "warn_flow.py", "warn")
    assert "warning: mind the gap" in result.err.splitlines()


def test_labels_and_variables_go_with_the_run(cli: Cli) -> None:
    cli("run", "flow.py", "nothing", "--label", "team=data", "--label", "n=1", "--env", "A=b=c")
    assert cli("get", "runs", "--json").json[0]["labels"] == {"team": "data", "n": "1"}


def test_a_named_run_that_succeeded_is_not_done_again(cli: Cli) -> None:
    first = cli("run", "flow.py", "nothing", "--name", "once")
    again = cli("run", "flow.py", "nothing", "--name", "once")
    assert (first.code, again.code) == (0, 0)
    assert "said by the task" in first.out
    assert "said by the task" not in again.out


def test_structured_inputs_come_from_a_file(cli: Cli, folder: Path) -> None:
    (folder / "p.json").write_text(json.dumps({"x": 7, "tags": []}))
    assert cli("run", "flow.py", "shape", "--p", "@p.json").out == "7 [] False []\n"
