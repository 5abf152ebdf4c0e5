"""The command line as a process: signals, kills, and what goes to which stream."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

FLOW = """
import asyncio, pathlib, upwell
env = upwell.TaskEnvironment("proc")

def note(text):
    with open("notes.txt", "a") as notes:
        notes.write(text + "\\n")

@upwell.trace
async def traced(i: int) -> int:
    note(f"trace {i}")
    return i

@env.task
async def step(i: int) -> int:
    note(f"step {i}")
    return i

@env.task
async def main(n: int = 3) -> int:
    total = sum([await step(i) for i in range(n)]) + await traced(10)
    if not pathlib.Path("go").exists():
        with open("reached", "w") as reached:
            reached.write("x")
        await asyncio.Event().wait()
    return total

@env.task
def blocking() -> int:
    print("from the task")
    return 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a flow."""
    (tmp_path / "proc_flow.py").write_text(FLOW)
    os.mkfifo(tmp_path / "reached")
    return tmp_path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "upwell._cli", *arguments]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=folder, capture_output=True, text=True, check=False, timeout=100
    )


def stopped_in_the_middle(folder: Path, number: signal.Signals) -> tuple[int, str]:
    """Start a run, wait until its main task says that its steps are done, and send a signal."""
    process = subprocess.Popen(
        command("run", "proc_flow.py", "main", "--name", "p1"),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        with (folder / "reached").open() as reached:  # blocks until the task opens it
            assert reached.read() == "x"
        process.send_signal(number)
        _, err = process.communicate()
    finally:
        watchdog.cancel()
    return process.returncode, err


def test_results_and_messages_go_to_their_streams(folder: Path) -> None:
    done = run(folder, "run", "proc_flow.py", "blocking", "--backend", "local")
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["from the task", "1"]
    assert "succeeded" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_ctrl_c_says_how_to_go_on(folder: Path) -> None:
    code, err = stopped_in_the_middle(folder, signal.SIGINT)
    assert code == 130
    assert "error: interrupted; `upwell recover p1` goes on from here" in err.splitlines()
    assert "Traceback" not in err


def test_a_killed_run_is_recovered_without_doing_anything_twice(folder: Path) -> None:
    code, _ = stopped_in_the_middle(folder, signal.SIGKILL)
    assert code == -signal.SIGKILL
    shown = json.loads(run(folder, "get", "run", "p1", "--json").stdout)
    assert (shown["status"], shown["alive"]) == ("running", False)
    assert "interrupted" in run(folder, "get", "runs").stdout

    (folder / "go").touch()
    done = run(folder, "recover", "p1", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outputs"] == {"o0": 13}
    notes = (folder / "notes.txt").read_text().splitlines()
    assert notes == ["step 0", "step 1", "step 2", "trace 10"]

    actions = json.loads(run(folder, "get", "actions", "p1", "--json").stdout)
    root = next(action for action in actions if action["id"] == "a0")
    assert [attempt["end"] for attempt in root["attempts"]] == ["lost", "succeeded"]


def test_running_again_under_the_same_name_goes_on_too(folder: Path) -> None:
    stopped_in_the_middle(folder, signal.SIGKILL)
    (folder / "go").touch()
    done = run(folder, "run", "proc_flow.py", "main", "--name", "p1")
    assert (done.returncode, done.stdout) == (0, "13\n"), done.stderr
    assert (folder / "notes.txt").read_text().count("step 1") == 1


def test_a_run_is_aborted_from_another_process(folder: Path) -> None:
    process = subprocess.Popen(
        command("run", "proc_flow.py", "main", "--name", "p1"),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        with (folder / "reached").open() as reached:
            reached.read()
        busy = run(folder, "recover", "p1")
        assert busy.returncode == 1
        assert "is under way" in busy.stderr
        aborted = run(folder, "abort", "p1", "--reason", "not needed", "--json")
        assert json.loads(aborted.stdout)["status"] == "aborted"
        _, err = process.communicate()
    finally:
        watchdog.cancel()
    assert process.returncode == 1
    assert "run p1 of proc.main aborted: ActionAbortedError: not needed" in err


def test_a_reader_that_goes_away_is_no_error_of_ours(folder: Path) -> None:
    for _ in range(2):
        run(folder, "run", "proc_flow.py", "blocking")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command("get", "runs", "--json"), cwd=folder, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert b"Traceback" not in done.stderr
