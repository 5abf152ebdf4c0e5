"""Every program below `programs/` on the backends that run in process: as their authors wrote them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hosts import observe
from outcomes import OUTCOMES, PROGRAMS, scenario_of
from outcomes_semantics import SEMANTICS

from upwell.testing.flows import LocalFlows
from upwell.testing.moto_flows import MotoFlows

pytestmark = pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning")

ON_LOCAL_ALONE = SEMANTICS.keys() - {
    "cache_keys",
    "cancelled_child",
    "map_in_async",
    "replayed_children",
    "resumed_from_checkpoint",
    "time_limits",
}
"""What the adapters have no part in; scenarios show it on all backends."""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs write where they are started."""
    monkeypatch.chdir(tmp_path)


def test_every_program_has_an_outcome() -> None:
    assert {name.partition(" ")[0] for name in OUTCOMES} == set(PROGRAMS)


@pytest.mark.parametrize("name", OUTCOMES)
async def test_program_on_local(
    name: str, upwell_flows: LocalFlows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = scenario_of(name)
    seen = await observe("local", upwell_flows, scenario, tmp_path)
    scenario.verify(replace(seen, printed=capsys.readouterr().out))


@pytest.mark.parametrize("name", [name for name in OUTCOMES if name not in ON_LOCAL_ALONE])
async def test_program_on_moto(
    name: str, moto: MotoFlows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = scenario_of(name)
    seen = await observe("moto", moto, scenario, tmp_path)
    scenario.verify(replace(seen, printed=capsys.readouterr().out))
