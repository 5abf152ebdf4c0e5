"""The programs that show most of real executors, on the sandbox: pools, memory, files, pickled values."""

from __future__ import annotations

from pathlib import Path

import pytest
from hosts import observe_on_sandbox
from outcomes import scenario_of

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.usefixtures("sandbox"),
    pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning"),
]
NAMES = (
    "clone_without_reuse",
    "error_recovery",
    "every_type",
    "functions_as_inputs",
    "plain_class",
    "two_pipelines ml",
)


@pytest.mark.parametrize("name", NAMES)
def test_program_on_sandbox(name: str, tmp_path: Path) -> None:
    scenario = scenario_of(name)
    scenario.verify(observe_on_sandbox(scenario, tmp_path))
