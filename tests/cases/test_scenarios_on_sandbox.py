"""Every scenario of this folder on the sandbox: real executor processes, emulated AWS."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from catalog import SCENARIOS
from scenario import Observed, Scenario

import upwell
from upwell._client.backend import open_backend
from upwell._client.config import current_config
from upwell._core.model import ActionRecord, RunRecord
from upwell.errors import BaseRuntimeError

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.usefixtures("sandbox"),
    pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning"),
]
WAIT_S = 100


def submitted(scenario: Scenario, folder: Path) -> Observed:
    """Run a scenario to its end."""
    runner = upwell.with_runcontext(mode="sandbox", **scenario.options)
    run = runner.run(scenario.task, **scenario.inputs_in(folder))
    run.wait(timeout=WAIT_S)
    value, error = None, None
    try:
        outputs = run.outputs()
        value = outputs[0] if len(outputs) == 1 else tuple(outputs)
    except BaseRuntimeError as e:
        error = e
    record, actions = asyncio.run(recorded(run.name))
    return Observed("sandbox", folder, record, actions, value, error)


async def recorded(run_id: str) -> tuple[RunRecord, list[ActionRecord]]:
    """Return what the store holds of a run."""
    async with open_backend("sandbox", current_config()) as backend:
        record: Any = await backend.store.get_run(run_id)
        return record, [action async for action in backend.store.list_actions(run_id)]


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_on_sandbox(name: str, tmp_path: Path) -> None:
    SCENARIOS[name].verify(submitted(SCENARIOS[name], tmp_path))
