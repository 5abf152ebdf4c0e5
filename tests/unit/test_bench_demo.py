"""The end of `make demo`, where nobody sits at a terminal."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path

import pytest
from bench.demo_consoles import present
from rich.console import Console

import upwell
from upwell._client.options import RunOptions
from upwell.testing import LocalFlows

env = upwell.TaskEnvironment("demo")


@env.task
async def one() -> int:
    return 1


def test_the_console_of_the_demo_answers_with_its_runs_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(LocalFlows(tmp_path).arun_with(RunOptions(name="good"), one))
    monkeypatch.setenv("UPWELL_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    printed = io.StringIO()
    present(Console(file=printed, width=200), {"local": "good"})
    assert re.search(r"local +http://127\.0\.0\.1:\d+/runs/good\n", printed.getvalue())
