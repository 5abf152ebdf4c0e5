"""All scenarios of this folder, by name.

They are imported together, so that every run on the sandbox has the same code bundle: executors then load it
once.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from scenario import Scenario

FOLDER = Path(__file__).parent


def _is_scenario(path: Path) -> bool:
    return "\nSCENARIO = " in path.read_text()


SCENARIOS: dict[str, Scenario] = {
    path.stem: importlib.import_module(path.stem).SCENARIO
    for path in sorted(FOLDER.glob("*.py"))
    if _is_scenario(path)
}
