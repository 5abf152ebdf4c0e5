"""The command line as a user has it, for tests of whole programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

RUN_WITHIN_S = 110


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Carries out `upwell ...` in a folder of its own, on one backend.

    Attributes:
        backend: `local` or `sandbox`.
        folder: Where it is carried out.
        state_dir: `--state-dir`.
    """

    backend: str
    folder: Path
    state_dir: Path

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own."""
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "UPWELL_"))}
        place = {"UPWELL_BACKEND": self.backend, "UPWELL_STATE_DIR": str(self.state_dir)}
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("upwell")), *arguments],
            cwd=self.folder,
            env=inherited | place,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __call__(self, *arguments: str, exit_code: int = 0) -> str:
        """Carry out a command to its end and return what it printed."""
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=RUN_WITHIN_S)
        finally:
            process.kill()
        assert process.returncode == exit_code, err
        return out

    def json(self, *arguments: str) -> Any:
        """Return the document that a command prints; of one that follows, the last."""
        printed = self(*arguments, "--json")
        return json.loads(printed.splitlines()[-1] if "--follow" in arguments else printed)

    def actions(self, run: str) -> list[dict[str, Any]]:
        """Return what `upwell get actions` says of a run."""
        found: list[dict[str, Any]] = self.json("get", "actions", run)
        return found


@pytest.fixture
def local_cli(tmp_path: Path) -> CommandLine:
    return CommandLine("local", tmp_path, tmp_path / "state")


@pytest.fixture
def sandbox_cli(tmp_path: Path, sandbox_state: Path) -> CommandLine:
    return CommandLine("sandbox", tmp_path, sandbox_state)


def execution_status(state_dir: Path, run: str) -> str:
    """Return the status of a run's Step Functions execution."""
    state = json.loads((state_dir / "sandbox" / "state.json").read_text())
    client = boto3.client(
        "stepfunctions",
        endpoint_url=state["endpoint"],
        region_name=state["region"],
        aws_access_key_id=state["environment"]["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=state["environment"]["AWS_SECRET_ACCESS_KEY"],
    )
    machine = state["settings"]["UPWELL_STATE_MACHINE_ARN"]
    arn = machine.replace(":stateMachine:", ":execution:") + f":{run}"
    try:
        return str(client.describe_execution(executionArn=arn)["status"])
    finally:
        client.close()


@pytest.fixture
def sandbox_execution_status(sandbox_state: Path) -> Any:
    """Give a function from a run's name to the status of its execution."""
    return lambda run: execution_status(sandbox_state, run)


@pytest.fixture(
    scope="module"
)  # while it is there, an event loop is under way: no test beside it can have its own
def browser() -> Iterator[Browser]:
    """Give Debian's Chromium."""
    from tests.e2e.consoles import CHROMIUM

    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]) as opened,
    ):
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give a page that must not complain."""
    from tests.e2e.consoles import opened_page

    complaints: list[str] = []
    with opened_page(browser, complaints) as opened:
        yield opened
    assert complaints == []
