"""`kill -9` of a worker that holds the only place of a limited task: the place frees itself."""

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

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]
WITHIN_S = 150

FLOW = '''
"""The first one waits at a gate, in the only place there is."""

import asyncio
from pathlib import Path

import upwell

warm = upwell.TaskEnvironment("holders-killed", reuse_policy=upwell.ReusePolicy(replicas=2, concurrency=4))
cold = upwell.TaskEnvironment("holders-killed-parent", depends_on=[warm])


@warm.task(max_concurrency=1)
async def limited(folder: str, x: int) -> int:
    inside = Path(folder) / "inside"
    (Path(folder) / f"started-{x}").touch()
    while not (Path(folder) / "open").exists():
        await asyncio.sleep(0.05)
    inside.mkdir()  # raises if anybody else is in there
    inside.rmdir()
    return x


@cold.task
async def main(folder: str, n: int) -> int:
    return sum(await asyncio.gather(*(limited(folder, x) for x in range(n))))
'''


class CommandLine(Protocol):
    """The fixture of conftest.py."""

    folder: Path
    state_dir: Path

    def start(self, *arguments: str) -> subprocess.Popen[str]: ...
    def json(self, *arguments: str) -> Any: ...
    def actions(self, run: str) -> list[dict[str, Any]]: ...


def wait_for(condition: Callable[[], Any], process: subprocess.Popen[str]) -> Any:
    """Return what a condition gives once it holds; fail at once when the run is over."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := condition()):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "it did not come so far"
        time.sleep(0.1)
    return found


def worker_pid(cli: CommandLine, executor: str) -> int:
    done = subprocess.run(
        sandbox_command(cli.state_dir, "status", "--json"), check=True, capture_output=True, text=True
    )
    workers = json.loads(done.stdout)["workers"]
    (pid,) = [w["pid"] for w in workers if w["task_arn"].rpartition("/")[2] == executor]
    return int(pid)


def test_a_place_whose_holder_is_killed_is_taken_by_the_next(sandbox_cli: CommandLine) -> None:
    cli = sandbox_cli
    (cli.folder / "holders.py").write_text(FLOW)
    arguments = ("--folder", str(cli.folder), "--n", "3", "--name", "holders", "--follow", "--json")
    process = cli.start("run", "holders.py", "main", *arguments)
    scope = ("--scope", "task:holders-killed.limited")
    try:
        wait_for(lambda: list(cli.folder.glob("started-*")), process)
        (held,) = cli.json("get", "holders", *scope)
        assert (held["run"], held["place"], held["state"], held["attempt"]) == ("holders", 0, "held", 1)
        os.kill(worker_pid(cli, held["executor_id"]), signal.SIGKILL)

        def by_another() -> Any:
            now = [h for h in cli.json("get", "holders", *scope) if h["state"] == "held"]
            return now and now[0]["executor_id"] != held["executor_id"] and now

        (after,) = wait_for(by_another, process)
        assert after["since"] >= held["expires_at"]
        (cli.folder / "open").touch()
        out, err = process.communicate(timeout=WITHIN_S)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["outputs"] == {"o0": 3}
    limited = [action for action in cli.actions("holders") if action["task"].endswith(".limited")]
    ends = sorted([attempt["end"] for attempt in action["attempts"]] for action in limited)
    assert ends == [["lost", "succeeded"], ["succeeded"], ["succeeded"]]
    assert cli.json("get", "holders", *scope) == []
