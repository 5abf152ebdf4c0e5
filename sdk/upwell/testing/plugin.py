"""pytest fixtures; loaded by pytest through the package's entry point."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from upwell.testing.clock import SkippingClock
    from upwell.testing.flows import LocalFlows
    from upwell.testing.moto_flows import MotoFlows


@pytest.fixture
def upwell_clock() -> SkippingClock:
    """A clock that passes at once when everything waits; `skip(seconds)` moves it by hand."""
    from upwell.testing.clock import SkippingClock

    return SkippingClock()


@pytest.fixture
def upwell_flows(tmp_path: Path, upwell_clock: SkippingClock) -> LocalFlows:
    """Runs flows on the local backend: `upwell_flows.run(task, *inputs).value`."""
    from upwell.testing.flows import LocalFlows

    return LocalFlows(tmp_path / "upwell", upwell_clock)


@pytest.fixture
def upwell_aws_flows() -> Iterator[MotoFlows]:
    """Runs flows on the AWS adapters, over moto's emulation: `upwell_aws_flows.run(task, *inputs).value`."""
    from upwell.testing.moto_flows import moto_flows

    with moto_flows() as flows:
        yield flows
