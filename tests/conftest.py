"""Fixtures that tests of several folders share."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from upwell._author.logs import system_logger
from upwell._client import config
from upwell._client.sandbox import sandbox_command
from upwell_runtime import wiring

_parse = ast.parse


def _parse_again(*args: Any, **kwargs: Any) -> Any:
    """Parse, and once more where a traceback got in between: see `upwell._author.syntax`.

    Tests that kill their engine leave tasks whose failures are logged whenever the garbage collector finds
    them, in the middle of a parse of pytest's, too.
    """
    with suppress(SystemError):
        return _parse(*args, **kwargs)
    return _parse(*args, **kwargs)


ast.parse = _parse_again

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, suppress_health_check=SLOW)
settings.register_profile("dev", parent=settings.get_profile("ci"), max_examples=25)
settings.register_profile("soak", parent=settings.get_profile("ci"), max_examples=20_000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))  # of Hypothesis; "ci" where none is named


@pytest.fixture(scope="session")
def sandbox_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start one sandbox for the session, and stop it at the end."""
    state_dir = tmp_path_factory.mktemp("state")
    subprocess.run(sandbox_command(state_dir, "start"), check=True, capture_output=True)
    yield state_dir
    subprocess.run(sandbox_command(state_dir, "stop"), check=True, capture_output=True)


@pytest.fixture
def sandbox(sandbox_state: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Point this process at the session's sandbox; gives the content of its state file."""
    monkeypatch.setattr(config, "_current", config.Config(mode="sandbox", state_dir=sandbox_state))
    state: dict[str, Any] = json.loads((sandbox_state / "sandbox" / "state.json").read_text())
    return state


@pytest.fixture(autouse=True)
def _fresh_configuration(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Let no test see what another one configured, nor the developer's own AWS settings."""
    if "sandbox" not in request.fixturenames:
        monkeypatch.setattr(config, "_current", None)
    for name in ("UPWELL_BACKEND", "UPWELL_STAGE", "UPWELL_STATE_DIR", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def component(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Let this process be a component of a deployment, whose output is captured, and none afterwards."""
    caches = (wiring.settings, wiring.metrics, wiring.tracer, wiring.configure_logging)
    before = {**system_logger.__dict__, "handlers": system_logger.handlers[:]}
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()
    system_logger.__dict__.clear()  # powertools leaves marks by which it knows its loggers
    system_logger.__dict__.update(before)
    system_logger.setLevel(before["level"])  # and forget what was decided by another one
