"""`upwell gc` on the state of local runs."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

import upwell
from upwell._cli.app import run_app
from upwell.io import File

env = upwell.TaskEnvironment(name="gc")


@env.task
async def write(text: str) -> File:
    file: File[str] = File.new_remote("out.txt")
    async with file.open("w") as target:
        await target.write(text)
    return file


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    upwell.init(mode="local", state_dir=tmp_path / "state")
    upwell.run(write, "twelve bytes")
    for path in (tmp_path / "state" / "blobs").rglob("*"):
        os.utime(path, (time.time() - 90_000, time.time() - 90_000))
    return tmp_path / "state"


def gc(state: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    capsys.readouterr()
    assert run_app(["gc", "--state-dir", str(state), *options]) == 0
    return capsys.readouterr().out


def test_a_dry_run_says_what_would_go_and_the_other_deletes_it(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "would delete 0 blobs" in gc(state, capsys, "--dry-run")
    shown = gc(state, capsys, "--dry-run", "--older-than", "0s")
    assert "would delete" in shown
    assert "data/" in shown
    document = json.loads(gc(state, capsys, "--dry-run", "--older-than", "0s", "--json"))
    assert document["dry_run"] is True
    assert document["prefixes"]["data/"] == {"blobs": 1, "bytes": 12}
    assert list(state.rglob("out.txt"))
    assert json.loads(gc(state, capsys, "--older-than", "0s", "--json")) == {**document, "dry_run": False}
    assert not list(state.rglob("out.txt"))


def test_what_is_young_is_kept(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(gc(state, capsys, "--older-than", "0s", "--grace", "2d", "--json"))
    assert document["blobs"] == 0


def test_a_length_of_time_that_is_none_is_refused(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(["gc", "--state-dir", str(state), "--older-than", "soon"]) == 2
    assert "--older-than" in capsys.readouterr().err
