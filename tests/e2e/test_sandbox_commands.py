"""The life of a sandbox, seen from outside its processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from upwell_runtime.sandbox.state import StateDir, process_started

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of compiled code that the sandboxes of these tests share."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def sandbox(tmp_path: Path, compiled: Path) -> Iterator["Sandbox"]:
    tried = Sandbox(tmp_path / "state", compiled)
    yield tried
    tried.run("stop")
    assert tried.processes() == []


class Sandbox:
    def __init__(self, root: Path, compiled: Path) -> None:
        self.dir = StateDir(root)
        compiled_in = {"PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", str(compiled))}
        self.environment = os.environ | compiled_in | {"PYTHONPATH": os.pathsep.join(sys.path)}

    def run(self, verb: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        where = ["--dir", str(self.dir.root), "--json"]
        return subprocess.run(
            [sys.executable, "-m", "upwell_runtime.sandbox", verb, *where, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
        )

    def start(self, *arguments: str) -> dict[str, Any]:
        started = self.run("start", *arguments)
        assert started.returncode == 0, started.stderr
        return dict(json.loads(started.stdout))

    def processes(self) -> list[str]:
        """Command lines of all processes of this sandbox: each has its state directory in its environment."""
        mark = f"TMPDIR={self.dir.temporary}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0") and process_started(int(entry.name)):
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found

    def wait_until_no_process_is_left(self) -> None:
        deadline = time.monotonic() + 20
        while left := self.processes():
            assert time.monotonic() < deadline, left
            time.sleep(0.02)


def test_a_started_sandbox_says_where_it_is(sandbox: Sandbox) -> None:
    told = sandbox.start()
    assert told["started"]
    assert told["endpoint"].startswith("http://127.0.0.1:")
    assert told["settings"]["UPWELL_PREFIX"] == "upwell-dev"
    assert told["environment"]["AWS_ENDPOINT_URL"] == told["endpoint"]
    state = sandbox.dir.read()
    assert state is not None
    assert (state.pid, state.endpoint, state.settings) == (told["pid"], told["endpoint"], told["settings"])


def test_starting_again_finds_the_running_one(sandbox: Sandbox) -> None:
    first, second = sandbox.start(), sandbox.start()
    assert (first["started"], second["started"]) == (True, False)
    assert second["pid"] == first["pid"]


def test_concurrent_starts_give_one_sandbox(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(3) as threads:
        told = list(threads.map(lambda _: sandbox.start(), range(3)))
    assert sorted(each["started"] for each in told) == [False, False, True]
    assert len({each["pid"] for each in told}) == 1


def test_status_tells_whether_one_runs(sandbox: Sandbox) -> None:
    before = sandbox.run("status")
    assert (before.returncode, json.loads(before.stdout)) == (3, {"running": False})
    sandbox.start()
    during = sandbox.run("status")
    assert during.returncode == 0
    assert json.loads(during.stdout)["running"]
    assert json.loads(during.stdout)["workers"] == []


def test_stop_leaves_no_process_and_no_state(sandbox: Sandbox) -> None:
    sandbox.start()
    assert len(sandbox.processes()) >= 2
    stopped = sandbox.run("stop")
    assert (stopped.returncode, json.loads(stopped.stdout)) == (0, {"stopped": True})
    assert sandbox.processes() == []
    assert sandbox.dir.read() is None


def test_stopping_what_does_not_run_is_no_error(sandbox: Sandbox) -> None:
    stopped = sandbox.run("stop")
    assert (stopped.returncode, json.loads(stopped.stdout)) == (0, {"stopped": False})


def test_nothing_outlives_a_supervisor_that_is_killed(sandbox: Sandbox) -> None:
    os.kill(sandbox.start()["pid"], signal.SIGKILL)
    sandbox.wait_until_no_process_is_left()
    assert sandbox.run("status").returncode == 3


def test_a_sandbox_starts_anew_after_a_crash(sandbox: Sandbox) -> None:
    crashed = sandbox.start()
    os.kill(crashed["pid"], signal.SIGKILL)
    again = sandbox.start()
    assert again["started"]
    assert again["pid"] != crashed["pid"]


def test_the_supervisor_ends_with_its_emulator(sandbox: Sandbox) -> None:
    sandbox.start()
    (emulator,) = (
        int(entry.name) for entry in Path("/proc").glob("[0-9]*") if is_emulator_of(entry, sandbox.dir)
    )
    os.kill(emulator, signal.SIGKILL)
    sandbox.wait_until_no_process_is_left()
    assert "emulator ended by itself" in sandbox.dir.log.read_text()


def is_emulator_of(entry: Path, state_dir: StateDir) -> bool:
    try:
        environment = (entry / "environ").read_bytes()
        return str(state_dir.temporary).encode() in environment and b"GATEWAY_PORT" in environment
    except OSError:
        return False


def test_a_start_that_fails_says_why_and_leaves_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    failed = sandbox.run("start", "--templates", str(tmp_path))
    assert failed.returncode == 1
    assert "platform.json is missing" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert sandbox.processes() == []


def test_a_sandbox_that_nobody_uses_stops_by_itself(sandbox: Sandbox) -> None:
    sandbox.start("--idle-stop-s", "0.1")
    sandbox.wait_until_no_process_is_left()
    assert sandbox.dir.read() is None
    assert "idle for" in sandbox.dir.log.read_text()


@pytest.mark.parametrize("arguments", [["start", "--executors", "many"], ["dance"], ["pool", "p", "quantum"]])
def test_wrong_usage_exits_with_2(sandbox: Sandbox, arguments: list[str]) -> None:
    assert sandbox.run(*arguments).returncode == 2


def test_a_pool_needs_a_sandbox(sandbox: Sandbox) -> None:
    refused = sandbox.run("pool", "gpu", "worker")
    assert refused.returncode == 3
    assert "start it first" in refused.stderr
