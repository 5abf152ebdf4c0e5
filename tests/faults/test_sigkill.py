"""A real process is killed in the middle of a run; another one goes on with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

FLOW = '''
"""Notes each piece of work in a file, and waits at a gate until it is opened."""
import asyncio
import os
import sys
import time
from pathlib import Path

import upwell

env = upwell.TaskEnvironment("killed")
HERE = Path(__file__).parent


def note(line):
    with open(HERE / "log", "a") as log:
        log.write(line + "\\n")


@upwell.trace
async def step(name: str) -> str:
    note(f"trace {name}")
    return name


@upwell.trace
def sync_step(name: str) -> str:
    note(f"trace {name}")
    return name


@env.task
async def child(n: int) -> int:
    note(f"child {n}")
    return n


@env.task
def sync_child(n: int) -> int:
    note(f"sync child {n} {sync_step('in sync child')}")
    return n


@env.task
def gate() -> str:
    note("gate")
    (HERE / "waiting").touch()
    while not (HERE / "open").exists():
        time.sleep(0.01)
    return "open"


@env.task
async def middle() -> list[int]:
    note("middle")
    below = await asyncio.gather(*(child(n) for n in range(10, 15)))
    await gate.aio()
    return [*below, await child(15)]


@env.task
async def main() -> list[int]:
    note("main")
    await step("first")
    above = await asyncio.gather(*(child(n) for n in range(10)), sync_child.aio(99))
    below = await middle()
    await step("last")
    return [*above, *below]


if __name__ == "__main__":
    run = upwell.with_runcontext(mode="local", name="killed").run(main)
    print(run.outputs()[0])
'''

BEFORE = [
    *(f"child {n}" for n in range(15)),
    "sync child 99 in sync child",
    "trace first",
    "trace in sync child",
]
UNDER_WAY = ["main", "middle", "gate"]
AFTER = ["child 15", "trace last"]
SAME_NAME = [sys.executable, "flow.py"]
RECOVER = [sys.executable, "-m", "upwell._cli", "recover", "killed"]


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Return once another process has made a file."""
    give_up_at = time.monotonic() + 30
    while not path.exists():
        assert process.poll() is None, "the process ended early"
        assert time.monotonic() < give_up_at, f"{path.name} did not appear"
        time.sleep(0.01)


def lines(folder: Path) -> Counter[str]:
    return Counter((folder / "log").read_text().splitlines())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flow.py").write_text(FLOW)
    return tmp_path


def kill_in_the_middle(folder: Path, environment: dict[str, str]) -> None:
    process = subprocess.Popen(SAME_NAME, cwd=folder, env=environment)
    try:
        wait_for(folder / "waiting", process)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    (folder / "waiting").unlink()


@pytest.mark.parametrize("go_on", [SAME_NAME, RECOVER], ids=["same name", "upwell recover"])
def test_a_killed_run_goes_on_where_it_was(folder: Path, go_on: list[str]) -> None:
    environment = {**os.environ, "UPWELL_STATE_DIR": str(folder / "state")}
    kill_in_the_middle(folder, environment)
    assert lines(folder) == Counter(BEFORE + UNDER_WAY)
    (folder / "open").touch()
    ended = subprocess.run(go_on, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert lines(folder) == Counter(BEFORE + 2 * UNDER_WAY + AFTER)


def test_a_run_that_is_killed_twice_goes_on(folder: Path) -> None:
    environment = {**os.environ, "UPWELL_STATE_DIR": str(folder / "state")}
    kill_in_the_middle(folder, environment)
    kill_in_the_middle(folder, environment)
    (folder / "open").touch()
    ended = subprocess.run(SAME_NAME, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.stdout.strip() == str([*range(10), 99, *range(10, 16)]), ended.stderr
    assert lines(folder) == Counter(BEFORE + 3 * UNDER_WAY + AFTER)
