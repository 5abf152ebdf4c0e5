"""Every scenario of this folder on the sandbox: real executor processes, emulated AWS."""

from __future__ import annotations

from pathlib import Path

import pytest
from catalog import SCENARIOS
from hosts import observe_on_sandbox

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.usefixtures("sandbox"),
    pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning"),
]


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_on_sandbox(name: str, tmp_path: Path) -> None:
    SCENARIOS[name].verify(observe_on_sandbox(SCENARIOS[name], tmp_path))
