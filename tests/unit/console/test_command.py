"""`upwell console` as a person starts and ends it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from upwell._cli.app import run_app
from upwell._console.server import PORT, listener
from upwell.errors import UsageError


@contextmanager
def console(state_dir: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "upwell._cli", "console", "--no-open", "--json"]
    process = subprocess.Popen(
        [*command, "--state-dir", str(state_dir)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_prints_its_address_serves_and_ends_on_ctrl_c(local_runs: Path) -> None:
    with console(local_runs) as process:
        assert process.stdout is not None
        printed = ""
        while "}" not in printed:
            printed += process.stdout.readline()
        shown = json.loads(printed)
        assert shown["backend"] == "local"
        assert 'name="upwell-token"' in httpx.get(shown["url"], timeout=20).text
        runs = httpx.get(f"{shown['url']}api/v1/runs", timeout=20).json()["runs"]
        assert [run["run_id"] for run in runs] == ["bad", "again", "good"]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_a_port_that_was_asked_for_and_is_taken_is_an_error_and_the_usual_one_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"--port {port} is in use"):
            listener(port)
        assert run_app(["console", "--no-open", "--port", str(port)]) == 2
    assert "is in use" in capsys.readouterr().err
    with listener(None) as first, listener(None) as second:
        assert {first.getsockname()[0], second.getsockname()[0]} == {"127.0.0.1"}
        assert second.getsockname()[1] not in {first.getsockname()[1], PORT}
