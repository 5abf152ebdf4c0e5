import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from upwell_runtime.sandbox.state import SandboxState, StateDir, process_started


@pytest.fixture
def state_dir(tmp_path: Path) -> StateDir:
    directory = StateDir(tmp_path / "sandbox")
    directory.create()
    return directory


def a_state(**changes: object) -> SandboxState:
    state = SandboxState(
        pid=os.getpid(),
        started=process_started(os.getpid()) or "",
        reaper_pid=1,
        endpoint="http://127.0.0.1:1",
        region="us-east-1",
        account="000000000000",
        environment={"AWS_REGION": "us-east-1"},
        control_url="http://127.0.0.1:2",
        token="t",
        settings={"UPWELL_PREFIX": "upwell-dev"},
        pools={"gpu": {"kind": "worker", "parameters": {"ReplicasMax": 2}}},
        log="supervisor.log",
    )
    return dataclasses.replace(state, **changes)


def test_a_state_reads_back_as_it_was_written(state_dir: StateDir) -> None:
    state_dir.write(a_state())
    assert state_dir.read() == a_state()


def test_the_state_file_is_private_because_it_holds_a_token(state_dir: StateDir) -> None:
    state_dir.write(a_state())
    assert state_dir.state_file.stat().st_mode & 0o077 == 0


def test_there_is_no_state_where_none_was_written(state_dir: StateDir) -> None:
    assert state_dir.read() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 0}'])
def test_a_state_file_of_another_version_or_kind_counts_as_none(state_dir: StateDir, text: str) -> None:
    state_dir.state_file.write_text(text)
    assert state_dir.read() is None


def test_a_state_of_this_process_is_alive() -> None:
    assert a_state().alive


def test_a_recycled_pid_is_not_the_sandbox() -> None:
    assert not a_state(started="12345").alive


def test_a_process_that_ended_has_no_start_time() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert process_started(process.pid) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_zombie_has_no_start_time() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process_started(process.pid) is None
    process.wait()


HOLD_LOCK = """
import pathlib, sys
from upwell_runtime.sandbox.state import StateDir
state_dir = StateDir(pathlib.Path(sys.argv[1]))
with state_dir.lock():
    print("held", flush=True)
    sys.stdin.readline()
    (state_dir.root / "first").touch()
"""


def test_the_lock_makes_processes_take_turns(state_dir: StateDir) -> None:
    command = [sys.executable, "-c", HOLD_LOCK, str(state_dir.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        holder.stdin.write("go on\n")
        holder.stdin.flush()
        with state_dir.lock():
            assert (state_dir.root / "first").exists()
