"""Abort, recover and rerun by way of the API."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.console.conftest import Console, serving

from upwell._client.config import Config
from upwell._client.local import open_local

FLOW = """
import pathlib, time, upwell
env = upwell.TaskEnvironment("flow")

@env.task
async def step(n: int, label: str = "x") -> str:
    if not pathlib.Path("fixed").exists():
        raise RuntimeError("not yet")
    return label * n

@env.task
async def asleep() -> None:
    import asyncio
    await asyncio.sleep(60)

@env.task
async def waits() -> str:
    try:
        return await asleep()
    except upwell.errors.ActionAbortedError as e:
        return str(e)
"""


@pytest.fixture
async def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Console]:
    """Give the console of a folder with a flow whose run has failed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flow.py").write_text(FLOW)
    config = Config(state_dir=tmp_path / ".upwell")
    async with open_local(config) as backend, serving(backend, config, tmp_path / "static") as console:
        yield console


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "upwell._cli", "run", "flow.py", *arguments
    )


async def ended(console: Console, run_id: str) -> Any:
    async with asyncio.timeout(60):
        while True:
            run = await console.get(f"/runs/{run_id}")
            if run["status"] != "running":
                return run
            await asyncio.sleep(0.05)


async def until_held(console: Console, tasks: set[str]) -> None:
    """Wait until these tasks are at work in the default pool."""
    while True:
        (pool,) = await console.get("/pools")
        if {held["task"] for held in pool["held"]} == tasks:
            return
        await asyncio.sleep(0.05)


async def outputs(console: Console, run_id: str) -> list[str]:
    action = await console.get(f"/runs/{run_id}/actions/a0")
    return [value["preview"] for value in action["outputs"]]


async def test_local_runs_are_recovered_and_rerun_by_processes_of_their_own(
    local: Console, tmp_path: Path
) -> None:
    assert await (await start("step", "--n", "2", "--name", "f1")).wait() == 1
    (tmp_path / "fixed").touch()
    assert (await local.post("/runs/f1/recover", {})).json() == {"run_id": "f1", "action_id": None}
    assert (await ended(local, "f1"))["generation"] == 2
    again = (await local.post("/runs/f1/rerun", {"inputs": {"label": "--file=@é"}})).json()["run_id"]
    assert (await ended(local, again))["status"] == "succeeded"
    assert await outputs(local, again) == ["--file=@é--file=@é"]
    refused = await local.post("/runs/f1/rerun", {"inputs": {"file": "x.py"}})
    assert refused.status_code == 409
    assert "--inputs: the task has no parameter 'file'" in refused.json()["error"]["message"]
    succeeded = await local.post("/runs/f1/recover", {})
    assert "has succeeded" in succeeded.json()["error"]["message"]


async def test_a_run_under_way_is_watched_and_its_actions_and_itself_are_aborted(local: Console) -> None:
    process = await start("waits", "--name", "w1")
    async with asyncio.timeout(60):
        await until_held(local, {"flow.waits", "flow.asleep"})
        assert (await local.get("/runs/w1"))["alive"]
        (row,) = (await local.get("/runs/w1/tree", parent="a0"))["rows"]
        assert (row["status"], row["ended_at"]) == ("running", None)
        path = f"/runs/w1/actions/{row['action_id']}/abort"
        assert (await local.post(path, {"reason": "enough"})).json()["action_id"] == row["action_id"]
        await process.wait()
    assert "enough" in (await outputs(local, "w1"))[0]
    over = await local.post("/runs/w1/abort", {})
    assert (over.status_code, over.json()["error"]["code"]) == (409, "RunStateError")


@pytest.mark.parametrize("path", ["abort", "recover", "rerun", "actions/a0/abort"])
async def test_nothing_is_done_to_runs_that_are_not_there(local_console: Console, path: str) -> None:
    answer = await local_console.post(f"/runs/none/{path}", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "RunNotFoundError")
