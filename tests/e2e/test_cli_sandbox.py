"""The command line on the sandbox: real Lambda and worker processes behind emulated AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e

FLOW = """
import asyncio, upwell
from upwell.io import File

warm = upwell.TaskEnvironment("warm", reuse_policy=upwell.ReusePolicy(replicas=1, concurrency=4))
env = upwell.TaskEnvironment("cold", depends_on=[warm])

@warm.task
async def double(x: int) -> int:
    return 2 * x

@env.task
async def main(n: int = 3) -> int:
    return sum(await asyncio.gather(*(double(i) for i in range(n))))

@env.task
def boom(text: str = "friend") -> None:
    raise ValueError(f"no way, {text}")

@env.task
async def main_of_boom() -> None:
    await boom.aio()

@env.task
async def size(f: File) -> int:
    async with f.open("rb") as source:
        return len(await source.read())

@env.task(cache="auto")
async def triple(x: int) -> int:
    return 3 * x

@env.task
async def forever() -> None:
    await asyncio.Event().wait()
"""


class Sandbox:
    """Carries out command lines in a folder, on the session's sandbox."""

    def __init__(self, folder: Path, state_dir: Path) -> None:
        self.folder = folder
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "UPWELL_BACKEND": "sandbox",
            "UPWELL_STATE_DIR": str(state_dir),
        }

    def __call__(
        self, *arguments: str, typed: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "upwell._cli", *arguments],
            cwd=self.folder,
            env=self._environment | environment,
            capture_output=True,
            input=typed,
            text=True,
            check=False,
            timeout=110,
        )

    def json(self, *arguments: str) -> Any:
        """Return the document that a command prints."""
        done = self(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


def last_line(text: str) -> Any:
    """Return the document in the last line of what a followed run has printed."""
    return json.loads(text.splitlines()[-1])


@pytest.fixture
def upwell(tmp_path: Path, sandbox_state: Path) -> Sandbox:
    """Give the command line, in a folder with a flow."""
    (tmp_path / "cli_flow.py").write_text(FLOW)
    return Sandbox(tmp_path, sandbox_state)


def test_followed_to_the_end_it_prints_the_outputs(upwell: Sandbox) -> None:
    done = upwell("run", "cli_flow.py", "main", "--n", "4", "--name", "followed", "-f")
    assert (done.returncode, done.stdout) == (0, "12\n"), done.stderr
    actions = upwell.json("get", "actions", "followed")
    assert {a["task"]: {t["executor_kind"] for t in a["attempts"]} for a in actions} == {
        "cold.main": {"lambda"},
        "warm.double": {"worker"},
    }
    assert len(actions) == 5
    assert upwell.json("get", "io", "followed")["inputs"] == {"n": 4}


def test_a_submitted_run_is_named_and_can_be_aborted_and_recovered(upwell: Sandbox) -> None:
    started = upwell("run", "cli_flow.py", "forever", "--name", "endless", "--label", "a=b")
    assert started.returncode == 0, started.stderr
    name, url = started.stdout.splitlines()
    assert name == "run endless"
    assert url.endswith("/runs/endless")

    aborted = upwell.json("abort", "endless", "--reason", "enough")
    assert aborted["labels"] == {"a": "b"}
    shown = upwell.json("get", "run", "endless")
    assert (shown["status"], shown["error"]["message"]) == ("aborted", "enough")
    again = upwell("abort", "endless")
    assert again.returncode == 1
    assert "has ended already" in again.stderr

    recovered = upwell("recover", "endless")
    assert recovered.returncode == 0, recovered.stderr
    assert upwell.json("abort", "endless")["generation"] == 2


def test_a_failure_exits_with_1_and_the_users_traceback(upwell: Sandbox) -> None:
    done = upwell("run", "cli_flow.py", "boom", "--follow")
    assert done.returncode == 1
    assert "failed: ValueError: no way, friend" in done.stderr
    assert 'raise ValueError(f"no way, {text}")' in done.stderr
    assert "upwell/_" not in done.stderr


def test_a_failed_action_is_replayed_with_the_code_that_failed(upwell: Sandbox) -> None:
    upwell("run", "cli_flow.py", "main_of_boom", "--name", "replayed", "--follow")
    (action,) = upwell.json("get", "actions", "replayed", "--task", "boom")
    assert upwell.json("get", "code", "replayed")["files"] == ["cli_flow.py"]
    (upwell.folder / "cli_flow.py").write_text("raise SystemExit('this is not the code of the run')")
    done = upwell("replay", "replayed", action["id"], typed="p text\nq\n")
    assert done.returncode == 1
    assert '-> raise ValueError(f"no way, {text}")' in done.stdout
    assert "(Pdb) 'friend'" in done.stdout
    assert "failed as in the run: ValueError: no way, friend" in done.stderr
    parent = json.loads(upwell("replay", "replayed", "--json").stdout)
    assert (parent["error"]["message"], parent["failed_child"]) == ("no way, friend", action["id"])


def test_a_deployed_task_runs_without_its_file(upwell: Sandbox) -> None:
    assert upwell("deploy", "cli_flow.py").returncode == 0
    deployed = {task["task"]: task["inputs"]["properties"] for task in upwell.json("get", "tasks")}
    assert set(deployed["cold.triple"]) == {"x"}
    (upwell.folder / "cli_flow.py").unlink()
    run = ("run", "deployed-task", "cold.triple", "--follow")
    done = upwell(*run, "--inputs", "-", "--label", "a=b", typed='{"x": 4}')
    assert (done.returncode, done.stdout) == (0, "12\n"), done.stderr
    wrong = upwell(*run, "--inputs", '{"y": 4}')
    assert (wrong.returncode, "'x' is a required property" in wrong.stderr) == (2, True)
    assert upwell.json("delete", "task", "cold.triple") == {"deleted": "cold.triple"}
    gone = upwell(*run, "--inputs", '{"x": 4}')
    assert (gone.returncode, "no task 'cold.triple' is deployed" in gone.stderr) == (2, True)


def test_a_local_file_is_uploaded(upwell: Sandbox) -> None:
    (upwell.folder / "data.bin").write_bytes(b"x" * 70_000)
    done = upwell("run", "cli_flow.py", "size", "--f", "data.bin", "-f", "--json")
    assert last_line(done.stdout)["outputs"] == {"o0": 70_000}


def test_kept_results_are_compared_listed_and_removed(upwell: Sandbox) -> None:
    runs = [upwell("run", "-f", "--json", "cli_flow.py", "triple", "--x", x) for x in ("7", "8")]
    made, other = (last_line(run.stdout)["run"] for run in runs)
    why = upwell.json("why", other)
    assert (why["reason"], why["nearest"]["run"]) == ("new_key", made)
    (difference,) = why["differences"]
    assert [difference[name] for name in ("part", "name", "before", "after")] == ["input", "x", "7", "8"]
    assert [entry["run"] for entry in upwell.json("cache", "ls", "--task", "cold.triple")] == [other, made]
    assert upwell.json("cache", "rm", "--task", "cold.triple", "--yes") == {"removed": 2}


def test_a_stage_that_is_not_deployed_is_one_line(upwell: Sandbox, sandbox_state: Path) -> None:
    aws = json.loads((sandbox_state / "sandbox" / "state.json").read_text())["environment"]
    done = upwell("run", "cli_flow.py", "main", "--backend", "aws", "--stage", "nowhere", **aws)
    assert done.returncode == 2
    assert done.stderr.startswith("error: no platform 'upwell-nowhere'")
    assert len(done.stderr.splitlines()) == 1


def test_the_sandbox_tells_its_status(upwell: Sandbox) -> None:
    assert upwell.json("sandbox", "status")["running"] is True
    assert upwell("sandbox", "status").returncode == 0
    assert upwell.json("sandbox", "start")["started"] is False


def test_pools_are_deployed_and_updated(upwell: Sandbox, sandbox_state: Path) -> None:
    aws = json.loads((sandbox_state / "sandbox" / "state.json").read_text())["environment"]
    (upwell.folder / "deploy_flow.py").write_text(
        "import upwell\n"
        "warm = upwell.TaskEnvironment('to-deploy', reuse_policy=upwell.ReusePolicy(replicas=1))\n"
        "env = upwell.TaskEnvironment('plain', depends_on=[warm])\n"
        "@env.task\n"
        "async def twice(x: int) -> int:\n"
        "    return 2 * x\n"
    )
    arguments = ("deploy", "deploy_flow.py", "--backend", "aws", "--json")
    first = upwell(*arguments, **aws)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout) == {
        "stage": "dev",
        "pools": ["default", "to-deploy"],
        "changed": ["to-deploy"],
        "tasks": ["plain.twice"],
        "new_tasks": ["plain.twice"],
    }
    again = upwell(*arguments, **aws)
    assert again.returncode == 0, again.stderr


def test_tasks_are_deployed_on_the_sandbox_until_they_change(upwell: Sandbox) -> None:
    file = upwell.folder / "deployed_flow.py"
    program = (
        "import upwell\n"
        "env = upwell.TaskEnvironment('kept')\n"
        "@env.task\n"
        "async def one() -> int:\n"
        "    return 1\n"
    )
    for code, state in ((program, "deployed"), (program, "up to date"), (f"{program}# new\n", "deployed")):
        file.write_text(code)
        done = upwell("deploy", file.name, "--backend", "sandbox")
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"default: the platform's own\nkept.one: {state}\n"
