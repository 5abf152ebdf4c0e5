"""`kill -9` of a worker in the middle of a large map: the run completes, every result right."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from upwell._client.sandbox import sandbox_command

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

FLOW = """
import asyncio
from pathlib import Path

import upwell

warm = upwell.TaskEnvironment("killed-{name}", reuse_policy=upwell.ReusePolicy(replicas=2, concurrency=25))
cold = upwell.TaskEnvironment("killed-{name}-parent", depends_on=[warm])


@warm.task
async def echo(folder: str, x: int, waits: bool) -> int:
    with (Path(folder) / "started").open("ab") as started:
        started.write(b".")
    while waits and not (Path(folder) / "open").exists():
        await asyncio.sleep(0.05)
    return x


@{parent}.task
async def main(folder: str, n: int) -> bool:
    results = await asyncio.gather(*[echo(folder, x, x > n // 3) for x in range(n)])
    return results == list(range(n))
"""


class CommandLine(Protocol):
    """The fixture of conftest.py."""

    folder: Path
    state_dir: Path

    def start(self, *arguments: str) -> subprocess.Popen[str]: ...
    def actions(self, run: str) -> list[dict[str, Any]]: ...


def workers(cli: CommandLine, pool: str) -> dict[str, int]:
    """Return the running workers of a pool: task id -> pid."""
    done = subprocess.run(
        sandbox_command(cli.state_dir, "status", "--json"), check=True, capture_output=True, text=True
    )
    return {
        worker["task_arn"].rpartition("/")[2]: worker["pid"]
        for worker in json.loads(done.stdout)["workers"]
        if worker["pool"] == pool and worker["state"] == "running"
    }


def wait_for(condition: Callable[[], Any], process: subprocess.Popen[str], within_s: float = 100) -> None:
    """Wait until other processes have done something; fail at once when the run is over."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "it did not come so far"
        time.sleep(0.02)


def started(cli: CommandLine) -> int:
    file = cli.folder / "started"
    return file.stat().st_size if file.exists() else 0


def run_and_kill(cli: CommandLine, name: str, n: int, *, parent: str, kills_parent: bool) -> str:
    """Start a map of n, kill one worker when a third has started, and return the id of its task.

    The other two thirds wait until the kill is done, so that it is in the middle on any machine.
    """
    (cli.folder / f"{name}.py").write_text(FLOW.format(name=name, parent=parent))
    arguments = ("--folder", str(cli.folder), "--n", str(n), "--name", name, "--follow", "--json")
    process = cli.start("run", f"{name}.py", "main", *arguments)
    try:
        wait_for(lambda: started(cli) > n // 3, process)
        running = workers(cli, f"killed-{name}")
        holder = executor_of_the_root(cli, name)
        (victim,) = [w for w in running if (w == holder) is kills_parent][:1]
        os.kill(running[victim], signal.SIGKILL)
        (cli.folder / "open").touch()
        out, err = process.communicate(timeout=150)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["outputs"] == {"o0": True}
    return victim


def executor_of_the_root(cli: CommandLine, run: str) -> str:
    (root,) = [action for action in cli.actions(run) if action["id"] == "a0"]
    executor: str = root["attempts"][-1]["executor_id"]
    return executor


def lost(actions: list[dict[str, Any]], task: str) -> list[dict[str, Any]]:
    """Return the lost attempts of a task."""
    return [
        attempt
        for action in actions
        for attempt in action["attempts"]
        if action["task"].endswith(f".{task}") and attempt["end"] == "lost"
    ]


@pytest.mark.slow
def test_a_map_of_a_thousand_survives_the_kill_of_a_worker(sandbox_cli: CommandLine) -> None:
    victim = run_and_kill(sandbox_cli, "children", 1000, parent="cold", kills_parent=False)
    actions = sandbox_cli.actions("children")
    children = [action for action in actions if action["task"].endswith(".echo")]
    assert len(children) == 1000
    assert {action["status"] for action in actions} == {"succeeded"}
    held = lost(actions, "echo")
    assert 1 <= len(held) <= 25
    assert {attempt["executor_id"] for attempt in held} == {victim}
    for child in children:
        ends = [attempt["end"] for attempt in child["attempts"]]
        assert ends[-1] == "succeeded"
        assert child["losses"] == ends.count("lost")
        assert child["failures"] == 0


def test_a_parent_whose_worker_is_killed_goes_on_where_it_was(sandbox_cli: CommandLine) -> None:
    victim = run_and_kill(sandbox_cli, "parent", 200, parent="warm", kills_parent=True)
    actions = sandbox_cli.actions("parent")
    assert {attempt["executor_id"] for attempt in lost(actions, "main")} == {victim}
    children = [action for action in actions if action["task"].endswith(".echo")]
    assert len(children) == 200
    assert {action["status"] for action in actions} == {"succeeded"}
