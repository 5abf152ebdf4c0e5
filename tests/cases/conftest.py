"""The scenario files import `scenario` from their own folder, here and in executors."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from upwell.testing.moto_flows import MotoFlows, moto_flows

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))
pytest.register_assert_rewrite(*(path.stem for path in FOLDER.glob("*.py")))


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoFlows]:
    """One platform for all flows of a file: making it takes longer than running one."""
    with moto_flows() as flows:
        yield flows
