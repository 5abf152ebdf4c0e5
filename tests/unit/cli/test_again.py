"""`recover`, `rerun` and the code that they run, on the local backend."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from upwell._author import registry

Cli = Any

FLAKY = """
import pathlib, upwell
from parts import FACTOR
env = upwell.TaskEnvironment("flaky")

@env.task
async def step(i: int) -> int:
    with pathlib.Path("done.txt").open("a") as done:
        done.write(f"{i}\\n")
    if i == 2 and not pathlib.Path("fixed").exists():
        raise RuntimeError("not yet")
    return i

@env.task
async def main(n: int = 3, name: str = "x") -> str:
    return name + str(FACTOR * sum([await step(i) for i in range(n)]))
"""


def in_another_process() -> None:
    """Forget the program: the next command loads it anew."""
    for name in ("flaky", "parts"):
        sys.modules.pop(name, None)
        registry.forget(name)


@pytest.fixture
def failed(cli: Cli, folder: Path) -> str:
    """Give a run that failed at its third step."""
    (folder / "flaky.py").write_text(FLAKY)
    (folder / "parts.py").write_text("FACTOR = 1\n")
    assert cli("run", "flaky.py", "--name", "f1", "main").code == 1
    (folder / "fixed").touch()
    in_another_process()
    return "f1"


# --- code ---


@pytest.mark.parametrize("file", ["flaky.py", "parts.py"])
def test_a_recovery_with_changed_code_says_which_file_and_names_the_option(
    cli: Cli, failed: str, folder: Path, file: str
) -> None:
    with (folder / file).open("a") as source:
        source.write("\n# changed\n")
    refused = cli("recover", failed)
    assert refused.code == 1
    assert f"has changed since it was submitted ({file})" in refused.error
    assert "`upwell recover f1 --new-code`" in refused.error
    assert cli("get", "run", failed, "--json").json["generation"] == 1


def test_a_recovery_takes_new_code_if_told_to_and_reuses_what_succeeded(
    cli: Cli, failed: str, folder: Path
) -> None:
    (folder / "parts.py").write_text("FACTOR = 10\n")
    result = cli("recover", failed, "--new-code", "--json")
    assert result.json["outputs"] == {"o0": "x30"}
    assert (folder / "done.txt").read_text().split() == ["0", "1", "2", "2"]


def test_code_that_a_run_has_taken_is_its_own_from_then_on(cli: Cli, failed: str, folder: Path) -> None:
    (folder / "fixed").unlink()
    (folder / "parts.py").write_text("FACTOR = 10\n")
    assert cli("recover", failed, "--new-code").code == 1  # it fails as before
    in_another_process()
    (folder / "fixed").touch()
    assert cli("recover", failed).out == "x30\n"


def test_unchanged_code_needs_no_option_wherever_it_is(cli: Cli, failed: str, folder: Path) -> None:
    (folder / "moved").mkdir()
    for name in ("flaky.py", "parts.py"):
        (folder / name).rename(folder / "moved" / name)
    assert cli("recover", failed, "--file", "moved/flaky.py").out == "x3\n"


def test_naming_a_run_again_with_changed_code_is_refused_too(cli: Cli, failed: str, folder: Path) -> None:
    (folder / "parts.py").write_text("FACTOR = 10\n")
    refused = cli("run", "flaky.py", "--name", failed, "main")
    assert "has changed since it was submitted (parts.py)" in refused.error
    assert cli("run", "flaky.py", "--name", failed, "--new-code", "main").out == "x30\n"


def test_other_files_than_those_of_the_run_may_change(cli: Cli, failed: str, folder: Path) -> None:
    (folder / "flow.py").write_text("")
    (folder / "another.py").write_text("")
    assert cli("recover", failed).out == "x3\n"


def test_a_run_that_keeps_no_code_is_not_compared(cli: Cli, folder: Path) -> None:
    (folder / "flaky.py").write_text(FLAKY)
    (folder / "parts.py").write_text("FACTOR = 1\n")
    assert cli("run", "flaky.py", "--name", "f2", "--copy-style", "none", "main").code == 1
    (folder / "fixed").touch()
    in_another_process()
    (folder / "parts.py").write_text("FACTOR = 10\n")
    assert cli("recover", "f2").out == "x30\n"


def test_other_calls_of_new_code_are_shown_with_the_action_and_fail_nothing(
    cli: Cli, folder: Path, failed: str
) -> None:
    (folder / "flaky.py").write_text(FLAKY.replace("range(n)", "range(1, n)"))
    assert cli("recover", failed, "--new-code").out == "x3\n"
    root, *steps = cli("get", "actions", failed, "--json").json
    (warning,) = root["warnings"]
    assert (warning["code"], warning["attempt"]) == ("NonDeterminismWarning", 2)
    assert "the code of the run has changed" in warning["message"]
    assert "1 of 3 x flaky.step" in warning["message"]
    assert [step["warnings"] for step in steps] == [[]] * 3
    shown = cli("get", "actions", failed)
    assert "NonDeterminismWarning" in shown.out
    assert "a0 attempt 2: NonDeterminismWarning: the code of the run has changed" in shown.err


def test_a_run_that_outgrew_its_bound_goes_on_with_another_one(cli: Cli, folder: Path) -> None:
    (folder / "flaky.py").write_text(FLAKY)
    (folder / "parts.py").write_text("FACTOR = 1\n")
    (folder / "fixed").touch()
    stopped = cli("run", "flaky.py", "--name", "large", "--max-actions", "3", "main")
    assert "`upwell recover large --max-actions N`" in stopped.error
    assert cli("recover", "large").code == 1
    assert cli("recover", "large", "--max-actions", "4").out == "x3\n"
    assert (folder / "done.txt").read_text().split() == ["0", "1", "2"]


FICKLE = """
import pathlib, upwell
env = upwell.TaskEnvironment("fickle")

@env.task
async def step(i: int) -> int:
    if i == 2 and not pathlib.Path("fixed").exists():
        raise RuntimeError("not yet")
    return i

@env.task
async def main() -> int:
    return sum([await step(i) for i in range(int(pathlib.Path("start").read_text()), 3)])
"""


@pytest.mark.parametrize("strict", ["no", "option", "environment"])
def test_a_strict_run_fails_where_another_is_warned(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, strict: str
) -> None:
    (folder / "fickle.py").write_text(FICKLE)
    (folder / "start").write_text("0")
    if strict == "environment":
        monkeypatch.setenv("UPWELL_STRICT", "1")
    options = ["--strict"] if strict == "option" else []
    assert cli("run", "fickle.py", "main", "--name", "s1", *options).code == 1
    monkeypatch.delenv("UPWELL_STRICT", raising=False)  # the run knows it
    (folder / "fixed").touch()
    (folder / "start").write_text("1")
    result = cli("recover", "s1")
    (root,) = cli("get", "actions", "s1", "--json", "--task", "main").json
    if strict == "no":
        assert result.out == "3\n"
        assert [warning["code"] for warning in root["warnings"]] == ["NonDeterminismWarning"]
    else:
        assert result.code == 1
        assert "NonDeterminismError" in result.error
        assert root["error"]["code"] == "NonDeterminismError"
        assert "fickle.main made other calls than its journal holds" in root["error"]["message"]


# --- rerun ---


def test_a_rerun_has_the_labels_and_variables_of_the_run_and_more(cli: Cli, folder: Path) -> None:
    (folder / "told.py").write_text(
        "import os, upwell\n"
        "env = upwell.TaskEnvironment('told')\n\n"
        "@env.task\n"
        "def main() -> list[str]:\n"
        "    return [os.environ['ONE'], os.environ['TWO']]\n"
    )
    told = ("told.py", "main", "--name", "t", "--env", "ONE=1", "--env", "TWO=2", "--label", "team=a")
    assert json.loads(cli("run", *told).out) == ["1", "2"]
    again = cli("rerun", "t", "--env", "TWO=3", "--label", "why=test", "--json").json
    assert (again["outputs"], again["labels"]) == ({"o0": ["1", "3"]}, {"team": "a", "why": "test"})


def test_a_run_is_run_again_as_a_new_one(cli: Cli, failed: str, folder: Path) -> None:
    assert cli("recover", failed).out == "x3\n"
    again = cli("rerun", failed, "--json").json
    assert again["run"] != failed
    assert (again["outputs"], again["generation"]) == ({"o0": "x3"}, 1)
    assert (folder / "done.txt").read_text().split() == ["0", "1", "2", "2", "0", "1", "2"]


def test_inputs_can_be_replaced_those_of_an_options_name_after_a_dash(cli: Cli, failed: str) -> None:
    assert cli("rerun", failed, "--n", "5", "--name", "r5").out == "x10\n"
    assert cli("get", "io", "r5", "--json").json["inputs"] == {"n": 5, "name": "x"}
    assert cli("rerun", failed, "--", "--n", "2", "--name", "y").out == "y1\n"


def test_inputs_that_do_not_fit_are_refused(cli: Cli, failed: str) -> None:
    wrong = cli("rerun", failed, "--n", "many")
    assert wrong.code == 2
    assert "--n" in wrong.error
    unknown = cli("rerun", failed, "--m", "1")
    assert unknown.code == 2
    assert "--m" in unknown.err


def test_a_rerun_runs_the_code_that_is_there(cli: Cli, failed: str, folder: Path) -> None:
    (folder / "parts.py").write_text("FACTOR = 10\n")
    assert cli("rerun", failed, "--name", "again").out == "x30\n"
    assert "nothing to recover" in cli("recover", "again").error


def test_help_of_both(cli: Cli) -> None:
    for command in ("recover", "rerun"):
        assert "--new-code" in cli(command, "--help").out
