"""`upwell profile RUN`, on the local backend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

Cli = Any

WASTE = """
import asyncio, upwell
env = upwell.TaskEnvironment("waste")

@env.task
async def step(x: int) -> int:
    return x + 1

@env.task
async def row(n: int) -> int:
    x = 0
    for _ in range(n):
        x = await step(x)
    return x

@env.task
async def pause(x: int) -> int:
    await asyncio.sleep(0.2)
    return x

@env.task
async def sane(n: int) -> int:
    return sum(await asyncio.gather(*(pause(i) for i in range(n))))
"""


@pytest.fixture
def wasteful(cli: Cli, folder: Path) -> str:
    """Give a run that makes tiny calls one after the other."""
    (folder / "waste.py").write_text(WASTE)
    assert cli("run", "waste.py", "row", "--n", "200", "--name", "w1").code == 0
    return "w1"


def test_a_wasteful_run_is_told_what_to_change(cli: Cli, wasteful: str) -> None:
    shown = cli("profile", wasteful, "--json").json
    (advice,) = [one for one in shown["advice"] if one["kind"] == "trace"]
    assert advice["task"] == "waste.step"
    assert advice["evidence"]["calls"] == 200
    assert 0 < advice["saves"]["wall_s"] < shown["wall_s"]
    text = cli("profile", wasteful).out
    assert "use a trace: one parent makes 200 calls" in text
    assert "would save" in text
    assert "critical path" in text


def test_a_healthy_run_gets_no_advice(cli: Cli, folder: Path) -> None:
    (folder / "waste.py").write_text(WASTE)
    cli("run", "waste.py", "sane", "--n", "5", "--name", "s1")
    assert cli("profile", "s1", "--json").json["advice"] == []
    assert "would save" not in cli("profile", "s1").out


def test_the_document_accounts_for_the_run(cli: Cli, wasteful: str) -> None:
    shown = cli("profile", wasteful, "--json").json
    assert list(shown) == ["run", "status", "wall_s", "busy_s", "usd", "tasks", "critical_path", "advice"]
    assert (shown["run"], shown["status"]) == (wasteful, "succeeded")
    assert shown["usd"] > 0
    tasks = {task["task"]: task for task in shown["tasks"]}
    step = tasks["waste.step"]
    assert (step["actions"], step["attempts"], step["measured"], step["failed"]) == (200, 200, 200, 0)
    assert step["overhead_ratio"] > 1
    assert step["noticed_s"]["count"] == 200
    assert set(step["runtime_s"]) == {"p50", "p90", "p99", "max", "sum"}
    assert sum(task["cost_share"] for task in shown["tasks"]) == pytest.approx(1, abs=0.01)
    path = shown["critical_path"]
    assert path["length_s"] == pytest.approx(sum(one["length_s"] for one in path["by_phase"]), abs=1e-3)
    assert path["length_s"] <= shown["wall_s"] + 1e-3
    assert path["steps_left_out"] == max(0, len(path["steps"]) + path["steps_left_out"] - 1000)


def test_a_chrome_trace_is_written(cli: Cli, wasteful: str, folder: Path) -> None:
    said = cli("profile", wasteful, "--chrome-trace", "out.json")
    assert "ui.perfetto.dev" in said.err
    document = json.loads((folder / "out.json").read_text())
    attempts = [e for e in document["traceEvents"] if e.get("cat") == "attempt"]
    assert len(attempts) == 201
    assert {e["ph"] for e in document["traceEvents"]} == {"X", "M"}


def test_a_trace_that_cannot_be_written_is_a_wrong_option(cli: Cli, wasteful: str) -> None:
    said = cli("profile", wasteful, "--chrome-trace", "no/such/folder/out.json")
    assert said.code == 2
    assert "give a file that can be written" in said.error


def test_an_unknown_run(cli: Cli) -> None:
    said = cli("profile", "nope")
    assert said.code == 1
    assert "there is no run 'nope'" in said.error


def test_a_failed_run_has_a_profile(cli: Cli, folder: Path) -> None:
    assert cli("run", "flow.py", "boom", "--name", "b1").code == 1
    shown = cli("profile", "b1", "--json").json
    assert shown["status"] == "failed"
    (task,) = shown["tasks"]
    assert task["failed"] == 1
