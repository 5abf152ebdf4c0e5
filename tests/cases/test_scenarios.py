"""Every scenario of this folder on the backends that run in process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from catalog import SCENARIOS
from scenario import Observed, Scenario

from upwell._client.options import RunOptions
from upwell.testing.flows import FlowResult, LocalFlows
from upwell.testing.moto_flows import MotoFlows, moto_flows

pytestmark = pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning")


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoFlows]:
    """One platform for all scenarios: making it takes longer than running one."""
    with moto_flows() as flows:
        yield flows


def seen(backend: str, folder: Path, result: FlowResult) -> Observed:
    return Observed(backend, folder, result.run, result.actions, result.value, result.error)


async def run(flows: LocalFlows | MotoFlows, scenario: Scenario, folder: Path) -> FlowResult:
    options = RunOptions(**scenario.options)
    return await flows.arun_with(options, scenario.task, **scenario.inputs_in(folder))


@pytest.mark.parametrize("name", SCENARIOS)
async def test_scenario_on_local(name: str, upwell_flows: LocalFlows, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]
    scenario.verify(seen("local", tmp_path, await run(upwell_flows, scenario, tmp_path)))


@pytest.mark.parametrize("name", SCENARIOS)
async def test_scenario_on_moto(name: str, moto: MotoFlows, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]
    scenario.verify(seen("moto", tmp_path, await run(moto, scenario, tmp_path)))
