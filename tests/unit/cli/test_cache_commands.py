"""`upwell cache ls` and `upwell cache rm`, on the local backend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

Cli = Any
CACHED = """
import asyncio, upwell
env = upwell.TaskEnvironment("cached", cache=upwell.Cache("auto", version_override="v7", max_age=3600))

@env.task
async def square(n: int) -> int:
    return n * n

@env.task
async def cube(n: int) -> int:
    return n ** 3

@env.task
async def both(n: int) -> int:
    results = upwell.map.aio(cube, range(n), batch=5, return_exceptions=False)
    return sum([x async for x in results]) + await square(n)
"""


@pytest.fixture
def filled(cli: Cli, folder: Path) -> None:
    """A run `r1` that keeps 12 results: 10 cubes, a square, its own; and a run `r2` that keeps one."""
    (folder / "kept_squares.py").write_text(CACHED)
    cli("run", "--name", "r1", "kept_squares.py", "both", "--n", "10")
    cli("run", "--name", "r2", "kept_squares.py", "square", "--n", "3")


def keys(cli: Cli, *options: str) -> list[str]:
    return [entry["key"] for entry in cli("cache", "ls", "--json", *options).json]


def test_nothing_is_kept(cli: Cli) -> None:
    assert cli("cache", "ls", "--json").json == []
    done = cli("cache", "ls", "--task", "cached.square")
    assert (done.code, done.out) == (0, "")
    assert "no results are kept of cached.square" in done.err
    assert cli("cache", "rm", "--all", "--yes", "--json").json == {"removed": 0}


@pytest.mark.usefixtures("filled")
def test_results_are_listed_newest_first_with_who_made_them(cli: Cli) -> None:
    newest, *_ = shown = cli("cache", "ls", "--json").json
    assert len(shown) == 13
    assert shown == sorted(shown, key=lambda entry: entry["created_at"], reverse=True)
    assert (newest["task"], newest["version"], newest["version_from"]) == ("cached.square", "v7", "override")
    assert (newest["run"], newest["action"], newest["size_bytes"]) == ("r2", "a0", 11)
    assert (newest["max_age_s"], newest["expired"]) == (3600.0, False)
    assert set(newest["inputs"]) == {"n"}
    head, first, *_ = cli("cache", "ls").out.splitlines()
    assert head.split()[:3] == ["key", "task", "version"]
    assert first.split()[:3] == [newest["key"], "cached.square", "v7"]


@pytest.mark.usefixtures("filled")
def test_lists_are_narrowed(cli: Cli) -> None:
    counts = {
        ("--task", "cached.cube"): 10,
        ("--run", "r1"): 12,
        ("--run", "r1", "--task", "cached.square"): 1,
        ("--older-than", "1h"): 0,
        ("--older-than", "0s"): 13,
        ("--task", "cached.cube", "--older-than", "1h"): 0,
        ("--limit", "4"): 4,
        ("--task", "cube"): 0,
    }
    assert {options: len(keys(cli, *options)) for options in counts} == counts


@pytest.mark.usefixtures("filled")
def test_what_is_removed_is_computed_anew(cli: Cli) -> None:
    (key, other) = keys(cli, "--task", "cached.square")
    assert cli("cache", "rm", key, "--yes").code == 0
    assert keys(cli, "--task", "cached.square") == [other]
    assert cli("cache", "rm", "--task", "cached.cube", "--yes", "--json").json == {"removed": 10}
    assert cli("cache", "rm", "--run", "r1", "--yes", "--json").json == {"removed": 2}
    cli("run", "--name", "r3", "kept_squares.py", "both", "--n", "10")
    assert all(a["cached"] is None for a in cli("get", "actions", "r3", "--json").json)


@pytest.mark.usefixtures("filled")
def test_what_is_not_said_clearly_removes_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    messages = {
        (): "say what to remove",
        ("k", "--all"): "not both",
        ("--all", "--task", "cached.cube"): "--all removes everything",
        ("--older-than", "soon", "--yes"): "expects a length of time",
        ("nowhere", "--yes"): "nothing is kept under nowhere",
        ("--all",): "add --yes",
    }
    for arguments, message in messages.items():
        done = cli("cache", "rm", *arguments)
        assert done.code == 2
        assert message in done.error
    assert len(keys(cli)) == 13
