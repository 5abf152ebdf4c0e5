"""What the client makes of a sandbox's state file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from upwell._client.sandbox import Sandbox, read_sandbox
from upwell.errors import UpwellError

STATE = {
    "endpoint": "http://127.0.0.1:1",
    "region": "us-east-1",
    "environment": {},
    "settings": {},
    "control_url": "http://127.0.0.1:1",
    "log": "/state/logs/supervisor.log",
    "token": "t",
}


def write(folder: Path, text: str) -> None:
    (folder / "sandbox").mkdir()
    (folder / "sandbox" / "state.json").write_text(text)


def test_a_state_file_is_read(tmp_path: Path) -> None:
    write(tmp_path, json.dumps({**STATE, "pid": 1}))
    assert read_sandbox(tmp_path) == Sandbox(**STATE)  # type: ignore[arg-type]  # as the file has them


@pytest.mark.parametrize("text", [None, "{", "{}"], ids=["missing", "cut off", "of another version"])
def test_without_a_usable_state_file_there_is_no_sandbox(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        write(tmp_path, text)
    with pytest.raises(UpwellError, match="upwell sandbox start"):
        read_sandbox(tmp_path)


def test_a_sandbox_that_is_gone_does_not_answer() -> None:
    assert not Sandbox(**STATE).answers()  # type: ignore[arg-type]  # as the file has them
