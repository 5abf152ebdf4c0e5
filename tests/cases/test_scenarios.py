"""Every scenario of this folder, on every backend."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from scenario import Observed, Scenario

import upwell
from upwell._client.backend import open_backend
from upwell._client.config import current_config
from upwell._client.options import RunOptions
from upwell.errors import BaseRuntimeError

FOLDER = Path(__file__).parent
NAMES = sorted(
    p.stem for p in FOLDER.glob("*.py") if p.stem not in {"scenario", "conftest", Path(__file__).stem}
)
BACKENDS = ["local", "moto", pytest.param("sandbox", marks=pytest.mark.e2e)]


class Backend(Protocol):
    """Runs a scenario."""

    def __call__(self, scenario: Scenario) -> Observed:
        """Return what was seen."""


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    if request.param == "sandbox":
        request.getfixturevalue("sandbox")
        yield on_sandbox
        return
    flows = request.getfixturevalue("upwell_flows" if request.param == "local" else "upwell_aws_flows")

    def in_process(scenario: Scenario) -> Observed:
        options = RunOptions(**scenario.options)
        result = asyncio.run(flows.arun_with(options, scenario.task, **scenario.inputs))
        return Observed(result.run, result.actions, result.value, result.error)

    yield in_process


def on_sandbox(scenario: Scenario) -> Observed:
    """Submit to the sandbox, and wait for the end."""
    run = upwell.with_runcontext(mode="sandbox", **scenario.options).run(scenario.task, **scenario.inputs)
    run.wait(timeout=100)
    value, error = None, None
    try:
        outputs = run.outputs()
        value = outputs[0] if len(outputs) == 1 else tuple(outputs)
    except BaseRuntimeError as e:
        error = e
    record, actions = asyncio.run(_recorded(run.name))
    return Observed(record, actions, value, error)


async def _recorded(run_id: str) -> tuple[Any, list[Any]]:
    async with open_backend("sandbox", current_config()) as backend:
        record = await backend.store.get_run(run_id)
        return record, [action async for action in backend.store.list_actions(run_id)]


@pytest.mark.parametrize("name", NAMES)
def test_scenario(name: str, backend: Backend) -> None:
    sys.path.insert(0, str(FOLDER))
    try:
        scenario: Scenario = importlib.import_module(name).SCENARIO
    finally:
        sys.path.remove(str(FOLDER))
    scenario.verify(backend(scenario))
