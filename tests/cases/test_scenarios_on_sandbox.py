"""Every scenario of this folder on the sandbox: real executor processes, emulated AWS."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from catalog import SCENARIOS
from scenario import Observed, Scenario

import upwell
from upwell._author.task import Task
from upwell._client.backend import open_backend
from upwell._client.config import current_config
from upwell.testing.flows import FlowResult, result_of

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.usefixtures("sandbox"),
    pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning"),
]
WAIT_S, LOOK_S = 100, 0.1


def submitted(scenario: Scenario, folder: Path) -> Observed:
    """Run a scenario to its end."""
    runner = upwell.with_runcontext(mode="sandbox", **scenario.options)
    run = runner.run(scenario.task, **scenario.inputs_in(folder))
    result = asyncio.run(ended(run.name, scenario.task))
    return Observed("sandbox", folder, result.run, result.actions, result.value, result.error)


async def ended(run_id: str, task: Task[..., object]) -> FlowResult:
    """Wait for the end of a run, and return what the store holds of it."""
    async with asyncio.timeout(WAIT_S), open_backend("sandbox", current_config()) as backend:
        record = await backend.store.get_run(run_id)
        while record is None or not record.status.is_terminal:
            await asyncio.sleep(LOOK_S)  # the run is in other processes
            record = await backend.store.get_run(run_id)
        return await result_of(backend.store, backend.blobs, record, task)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_on_sandbox(name: str, tmp_path: Path) -> None:
    SCENARIOS[name].verify(submitted(SCENARIOS[name], tmp_path))
