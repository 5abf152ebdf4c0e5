"""SIGTERM of a worker on which parents wait: they sleep until a child ends, and go on in another worker."""

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

children = upwell.TaskEnvironment("awaited", reuse_policy=upwell.ReusePolicy(replicas=1, concurrency=6))
parents = upwell.TaskEnvironment(
    "drained-parents", reuse_policy=upwell.ReusePolicy(replicas=1, concurrency=1), depends_on=[children]
)


@children.task
async def child(folder: str, x: int) -> int:
    with (Path(folder) / "started").open("ab") as started:
        started.write(b".")
    while not (Path(folder) / "open").exists():
        await asyncio.sleep(0.05)
    return x


@parents.task
async def waits(folder: str) -> list[int]:
    return await asyncio.gather(*[child(folder, x) for x in range(3)])


@parents.task
def waits_in_a_thread(folder: str) -> list[int]:
    return list(upwell.map(child, [folder] * 3, range(3)))


@parents.task
async def main(folder: str) -> list[list[int]]:
    return await asyncio.gather(waits(folder), waits_in_a_thread.aio(folder))
"""
PARENTS = {"main", "waits", "waits_in_a_thread"}


class CommandLine(Protocol):
    """The fixture of conftest.py."""

    folder: Path
    state_dir: Path

    def start(self, *arguments: str) -> subprocess.Popen[str]: ...
    def actions(self, run: str) -> list[dict[str, Any]]: ...


def worker(cli: CommandLine) -> int:
    """Return the pid of the parents' worker."""
    done = subprocess.run(
        sandbox_command(cli.state_dir, "status", "--json"), check=True, capture_output=True, text=True
    )
    (pid,) = [
        worker["pid"]
        for worker in json.loads(done.stdout)["workers"]
        if worker["pool"] == "drained-parents" and worker["state"] == "running"
    ]
    found: int = pid
    return found


def wait_for(condition: Callable[[], Any], process: subprocess.Popen[str], within_s: float = 100) -> None:
    """Wait until other processes have done something; fail at once when the run is over."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "it did not come so far"
        time.sleep(0.1)


def parents(cli: CommandLine) -> list[dict[str, Any]]:
    return [a for a in cli.actions("drained") if a["task"].partition(".")[2] in PARENTS]


def test_parents_on_a_worker_that_drains_sleep_until_their_children_wake_them(sandbox_cli: CommandLine) -> None:
    cli = sandbox_cli
    (cli.folder / "drained.py").write_text(FLOW)
    started = cli.folder / "started"
    arguments = ("--folder", str(cli.folder), "--name", "drained", "--follow", "--json")
    process = cli.start("run", "drained.py", "main", *arguments)
    try:
        wait_for(lambda: started.exists() and started.stat().st_size == 6, process)
        os.kill(worker(cli), signal.SIGTERM)
        wait_for(lambda: {parent["status"] for parent in parents(cli)} == {"suspended"}, process)
        (cli.folder / "open").touch()
        out, err = process.communicate(timeout=150)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["outputs"] == {"o0": [[0, 1, 2], [0, 1, 2]]}
    for parent in parents(cli):
        ends = [attempt["end"] for attempt in parent["attempts"]]
        assert ends[0] == "suspended"
        assert ends[-1] == "succeeded"
        assert parent["attempts"][0]["note"] == "its executor drained"
        assert (parent["failures"], parent["losses"]) == (0, 0)
    assert started.stat().st_size == 6  # no child was run twice
