"""Every program below `programs/` on the backends that run in process: as their authors wrote them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hosts import observe
from outcomes import OUTCOMES, PROGRAMS, scenario_of

from upwell.testing.flows import LocalFlows
from upwell.testing.moto_flows import MotoFlows

pytestmark = pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning")

ON_MOTO = (
    "cache_keys",
    "cancelled_child",
    "context_override",
    "dir_tour",
    "dir_with_key",
    "error_recovery",
    "every_type",
    "file_tour_sync",
    "file_with_hash",
    "frame_with_hash",
    "functions_as_inputs",
    "group_with_failures",
    "map_in_async",
    "map_partial",
    "pandas_frames",
    "plain_class",
    "random_failures",
    "recursive_fan_out",
    "replayed_children",
    "resumed_from_checkpoint",
    "task_settings",
    "time_limits",
    "trace_fan_out",
    "traced_side_effects",
)
"""Those in which the adapters have a part of their own: data, journals, retries, bounds, the cache."""
LONG = {
    "dir_tour",
    "error_recovery",
    "every_type",
    "file_tour_sync",
    "group_with_failures",
    "map_in_async",
    "pandas_frames",
    "recursive_fan_out",
    "resumed_from_checkpoint",
    "time_limits",
}
"""Those of them that take long on moto."""


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


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in ON_MOTO]
)
async def test_program_on_moto(
    name: str, moto: MotoFlows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = scenario_of(name)
    seen = await observe("moto", moto, scenario, tmp_path)
    scenario.verify(replace(seen, printed=capsys.readouterr().out))
