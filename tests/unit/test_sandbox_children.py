import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from upwell_runtime.sandbox.children import Children, base_environment
from upwell_runtime.sandbox.state import StateDir, process_started

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('up', flush=True)
signal.pause()
"""
PARENT = f"""
import signal, subprocess
print(subprocess.Popen({FOREVER!r}).pid, flush=True)
signal.pause()
"""
SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from upwell_runtime.sandbox.children import Children
from upwell_runtime.sandbox.state import StateDir

async def main(root, code):
    children = Children(StateDir(Path(root)))
    child = await children.start("c", [sys.executable, "-c", code], environment={}, log_name="c")
    print(child.pid, children.reaper_pid, flush=True)
    await child.wait()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def state_dir(tmp_path: Path) -> StateDir:
    directory = StateDir(tmp_path)
    directory.create()
    return directory


@pytest.fixture
async def children(state_dir: StateDir) -> AsyncIterator[Children]:
    started = Children(state_dir)
    yield started
    await started.stop_all(0)
    started.close()


def wait_logged(path: Path, text: str) -> str:
    deadline = time.monotonic() + 20
    while text not in (logged := path.read_text() if path.exists() else ""):
        assert time.monotonic() < deadline, f"{path} has {logged!r}"
        time.sleep(0.01)
    return logged


def wait_gone(*pids: int) -> None:
    deadline = time.monotonic() + 20
    while left := [pid for pid in pids if process_started(pid)]:
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.01)


async def test_a_child_writes_to_its_log_and_its_exit_code_is_known(
    children: Children, state_dir: StateDir
) -> None:
    command = [sys.executable, "-c", "print('hello'); raise SystemExit(3)"]
    child = await children.start("greeter", command, environment={}, log_name="greeter")
    assert await child.wait() == 3
    assert child.exit_code == 3
    assert (state_dir.logs / "greeter.log").read_text() == "hello\n"


async def test_a_child_that_ignores_sigterm_is_killed_after_the_grace(
    children: Children, state_dir: StateDir
) -> None:
    child = await children.start("s", [sys.executable, "-c", STUBBORN], environment={}, log_name="s")
    wait_logged(state_dir.logs / "s.log", "up")
    assert await child.stop(grace_s=0.05) == -signal.SIGKILL


async def test_what_a_child_started_ends_with_it(children: Children, state_dir: StateDir) -> None:
    child = await children.start("p", [sys.executable, "-c", PARENT], environment={}, log_name="p")
    grandchild = int(wait_logged(state_dir.logs / "p.log", "\n"))
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    wait_gone(grandchild)


def test_nothing_outlives_a_killed_supervisor(state_dir: StateDir) -> None:
    command = [sys.executable, "-c", SUPERVISOR, str(state_dir.root), PARENT]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as supervisor:
        assert supervisor.stdout is not None
        child, reaper = map(int, supervisor.stdout.readline().split())
        grandchild = int(wait_logged(state_dir.logs / "c.log", "\n"))
        supervisor.kill()
    wait_gone(child, grandchild, reaper)


def test_children_get_no_credentials_of_the_user(state_dir: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("AWS_PROFILE", "prod")
    assert not [name for name in base_environment(state_dir) if name.startswith("AWS_")]


async def test_a_log_that_grew_too_large_begins_anew(children: Children, state_dir: StateDir) -> None:
    log = state_dir.logs / "big.log"
    with log.open("wb") as file:
        file.truncate(20_000_001)
    children.trim_logs()
    assert log.stat().st_size == 0
    assert log.with_suffix(".log.1").stat().st_size == 20_000_001
