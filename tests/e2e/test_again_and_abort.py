"""Recover, rerun, and the abort of one action, from the command line of another process."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from tests.e2e.conftest import CommandLine

FLOW = """
import asyncio, pathlib, upwell
from upwell.errors import ActionAbortedError

env = upwell.TaskEnvironment("again")

@env.task
async def step(i: int) -> int:
    with (pathlib.Path({notes!r})).open("a") as notes:
        notes.write(f"{{i}}\\n")
    if i == 2:
        {fault}
    return i

@env.task
async def main(n: int = 3) -> int:
    return sum([await step(i) for i in range(n)])

@env.task
async def stuck(x: int) -> int:
    await asyncio.Event().wait()
    return x

@env.task
async def over_stuck(x: int) -> int:
    return await stuck(x)

@env.task
async def tolerant() -> str:
    fine = await step(0)
    try:
        return str(await over_stuck(fine))
    except ActionAbortedError as e:
        return f"{{type(e).__name__}}: {{e}}"
"""


@pytest.fixture(params=["local", pytest.param("sandbox", marks=pytest.mark.e2e)])
def upwell(request: pytest.FixtureRequest) -> CommandLine:
    cli: CommandLine = request.getfixturevalue(f"{request.param}_cli")
    write(cli, fault="raise ValueError('old code')")
    return cli


def write(cli: CommandLine, *, fault: str) -> None:
    (cli.folder / "again_flow.py").write_text(FLOW.format(notes=str(notes(cli)), fault=fault))


def notes(cli: CommandLine) -> Path:
    return cli.folder / "notes"


def named(cli: CommandLine, name: str) -> str:
    """Return a run id that no other test of this sandbox has."""
    return f"{name}-{abs(hash(cli.folder)):x}"[:40]


def test_a_run_stays_on_its_own_code_unless_told_otherwise(upwell: CommandLine) -> None:
    run = named(upwell, "code")
    upwell("run", "again_flow.py", "main", "--name", run, "--follow", exit_code=1)
    write(upwell, fault="pass")
    if upwell.backend == "local":
        upwell("recover", run, exit_code=1)  # it has no other code than what is here, and says so
        assert notes(upwell).read_text().split() == ["0", "1", "2"]
    else:
        upwell("recover", run, "--follow", exit_code=1)
        assert upwell.json("get", "run", run)["error"]["message"] == "old code"
        assert notes(upwell).read_text().split() == ["0", "1", "2", "2"]
    assert upwell("recover", run, "--new-code", "--follow") == "3\n"
    assert notes(upwell).read_text().split().count("0") == 1
    again = named(upwell, "rerun")
    assert upwell("rerun", run, "--n", "2", "--name", again, "--follow") == "1\n"
    assert upwell.json("get", "io", again)["inputs"] == {"n": 2}
    assert notes(upwell).read_text().split().count("0") == 2


@pytest.mark.parametrize("task", ["stuck", "over_stuck"])
def test_an_action_is_aborted_and_its_parent_catches_it(upwell: CommandLine, task: str) -> None:
    run = named(upwell, task)
    process = upwell.start("run", "again_flow.py", "tolerant", "--name", run, "--follow")
    try:
        action = running_action(upwell, run, task)
        upwell("abort", run, action, "--reason", "not needed")
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert out == "ActionAbortedError: not needed\n", err
    statuses = {a["task"]: a["status"] for a in upwell.actions(run)}
    assert statuses["again.stuck"] == "aborted"
    assert statuses["again.step"] == "succeeded"
    assert "ended already" in refused(upwell, "abort", run, action)


def running_action(cli: CommandLine, run: str, task: str) -> str:
    """Return the id of a task's action once the deepest task runs."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        process = cli.start("get", "actions", run, "--json")
        out, _ = process.communicate(timeout=60)
        found = {a["task"]: a for a in json.loads(out or "[]")}
        if found.get("again.stuck", {}).get("status") == "running":
            return str(found[f"again.{task}"]["id"])
        time.sleep(0.2)
    raise AssertionError(f"{task} does not run: {out}")


def refused(cli: CommandLine, *arguments: str) -> str:
    process = cli.start(*arguments)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    return err
