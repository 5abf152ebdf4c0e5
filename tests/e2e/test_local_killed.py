"""SIGKILL of a local run in the middle: it goes on, and nothing that was completed is executed again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any, Protocol

import pytest

pytestmark = pytest.mark.e2e

FLOW = """
import asyncio
import time
from pathlib import Path

import upwell

env = upwell.TaskEnvironment("killed-locally")


def note(folder: str, text: str) -> None:
    with (Path(folder) / "notes").open("a") as notes:
        notes.write(text + "\\n")


@upwell.trace
async def step(folder: str, x: int) -> int:
    note(folder, f"trace {x}")
    return x


@env.task
async def child(folder: str, x: int) -> int:
    note(folder, f"child {x}")
    return await step(folder, x)


@env.task
async def middle(folder: str, first: int) -> int:
    return sum(await asyncio.gather(*[child(folder, x) for x in range(first, first + 3)]))


@env.task
def sync_child(folder: str) -> int:
    note(folder, "sync child")
    return 100


@env.task
async def gate(folder: str) -> int:
    note(folder, "gate")
    while not (Path(folder) / "open").exists():
        await asyncio.sleep(0.02)
    return 1000


@env.task
async def main(folder: str) -> int:
    total = sum(await asyncio.gather(middle(folder, 0), middle(folder, 10), sync_child.aio(folder)))
    total += await step(folder, 500)
    total += await gate(folder)
    return total + await child(folder, 7)
"""
TOTAL = (0 + 1 + 2) + (10 + 11 + 12) + 100 + 500 + 1000 + 7
DONE_BEFORE = [
    "sync child",
    "trace 500",
    *(f"{what} {x}" for what in ("child", "trace") for x in (0, 1, 2, 10, 11, 12)),
]
DONE_AFTER = ["child 7", "trace 7"]


class CommandLine(Protocol):
    """The fixture of conftest.py."""

    folder: Path

    def start(self, *arguments: str) -> subprocess.Popen[str]: ...
    def __call__(self, *arguments: str, exit_code: int = 0) -> str: ...
    def json(self, *arguments: str) -> Any: ...
    def actions(self, run: str) -> list[dict[str, Any]]: ...


def notes(cli: CommandLine) -> list[str]:
    file = cli.folder / "notes"
    return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def killed(local_cli: CommandLine) -> CommandLine:
    """Give the command line after a run named `night` was killed at its gate, which is open now."""
    (local_cli.folder / "flow.py").write_text(FLOW)
    process = local_cli.start("run", "flow.py", "main", "--folder", str(local_cli.folder), "--name", "night")
    deadline = time.monotonic() + 60
    while "gate" not in notes(local_cli):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert Counter(notes(local_cli)) == Counter([*DONE_BEFORE, "gate"])
    (local_cli.folder / "open").touch()
    return local_cli


def assert_nothing_was_done_twice(cli: CommandLine) -> None:
    assert Counter(notes(cli)) == Counter([*DONE_BEFORE, *DONE_AFTER, "gate", "gate"])
    actions = {action["id"]: action for action in cli.actions("night")}
    assert {action["status"] for action in actions.values()} == {"succeeded"}
    assert len(actions) == 1 + 2 + 6 + 1 + 1 + 1
    assert all(action["failures"] == 0 for action in actions.values())


def test_a_killed_run_shows_that_nothing_works_on_it(killed: CommandLine) -> None:
    document = killed.json("get", "run", "night")
    assert (document["status"], document["alive"]) == ("running", False)


def test_recover_goes_on_with_a_killed_run(killed: CommandLine) -> None:
    document = killed.json("recover", "night")
    assert (document["status"], document["outputs"]) == ("succeeded", {"o0": TOTAL})
    assert document["generation"] == 2
    assert_nothing_was_done_twice(killed)


def test_running_again_under_the_name_goes_on_with_a_killed_run(killed: CommandLine) -> None:
    again = ("run", "flow.py", "main", "--folder", str(killed.folder), "--name", "night")
    assert killed.json(*again)["outputs"] == {"o0": TOTAL}
    assert_nothing_was_done_twice(killed)
    assert killed.json(*again)["outputs"] == {"o0": TOTAL}  # it has succeeded: this is its result
    assert_nothing_was_done_twice(killed)


def test_a_run_killed_twice_is_recovered_twice(local_cli: CommandLine) -> None:
    (local_cli.folder / "flow.py").write_text(FLOW)
    commands = [
        ("run", "flow.py", "main", "--folder", str(local_cli.folder), "--name", "night"),
        ("recover", "night"),
    ]
    for times, command in enumerate(commands, start=1):
        process = local_cli.start(*command)
        deadline = time.monotonic() + 60
        while notes(local_cli).count("gate") < times:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    (local_cli.folder / "open").touch()
    assert json.loads(local_cli("recover", "night", "--json"))["outputs"] == {"o0": TOTAL}
    assert Counter(notes(local_cli)) == Counter([*DONE_BEFORE, *DONE_AFTER, "gate", "gate", "gate"])
