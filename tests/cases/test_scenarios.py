"""Every scenario of this folder on the backends that run in process."""

from __future__ import annotations

from pathlib import Path

import pytest
from catalog import SCENARIOS
from hosts import observe

from upwell.testing.flows import LocalFlows
from upwell.testing.moto_flows import MotoFlows

LONG_ON_MOTO = {"limited_recursion", "pool_of_one"}
pytestmark = pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning")


@pytest.mark.parametrize("name", SCENARIOS)
async def test_scenario_on_local(name: str, upwell_flows: LocalFlows, tmp_path: Path) -> None:
    SCENARIOS[name].verify(await observe("local", upwell_flows, SCENARIOS[name], tmp_path))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG_ON_MOTO)) for name in SCENARIOS]
)
async def test_scenario_on_moto(name: str, moto: MotoFlows, tmp_path: Path) -> None:
    SCENARIOS[name].verify(await observe("moto", moto, SCENARIOS[name], tmp_path))
