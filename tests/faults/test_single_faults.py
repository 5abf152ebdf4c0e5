"""A process dies at any one effect, and another goes on with its queue: the sweeper finds nothing to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.faults import program
from tests.faults.fleet import Chance, Fleet, local_fleet

from upwell._core.model import Status
from upwell._exec.payloads import unpack

HOURS_S = 7200.0


def at_effect(number: int) -> Callable[[str, tuple[Any, ...]], bool]:
    """Strike at the effect of this number."""
    seen: list[str] = []

    def strikes(effect: str, _: tuple[Any, ...]) -> bool:
        seen.append(effect)
        return len(seen) - 1 == number

    return strikes


async def run_through(root: Path, *lives: Chance, suspends: bool) -> list[str]:
    """Run the program in processes that die, the last one excepted; return the first one's effects."""
    with local_fleet(root, suspends=suspends) as fleet:
        run = await fleet.start(program.main)
        for chance in lives:
            run = await fleet.live(run, chance, sweeps=True, for_s=HOURS_S)
        await check(fleet)
        assert not fleet.remedies, f"left to the sweeper after dying at {lives[0].seen[-1]}"
    return lives[0].seen


async def check(fleet: Fleet) -> None:
    run = await fleet.run()
    assert run.status is Status.SUCCEEDED, run.outcome
    assert run.outcome is not None
    assert run.outcome.output is not None
    data = await unpack(fleet.ports.blobs, run.outcome.output)
    assert program.main.interface.decode_output(data) == program.RESULT


@pytest.mark.timeout(300)
@pytest.mark.parametrize("suspends", [False, True])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_single_death_leaves_nothing_to_the_sweeper(tmp_path: Path, when: str, suspends: bool) -> None:
    effects = await run_through(tmp_path / "whole", Chance(), suspends=suspends)
    assert len(effects) >= program.EFFECTS_AT_LEAST
    deaths = 0
    for number in range(len(effects)):
        lives = Chance(at_effect(number), when), Chance()
        await run_through(tmp_path / str(number), *lives, suspends=suspends)
        deaths += bool(lives[0].died_of)
    assert deaths >= program.EFFECTS_AT_LEAST - 5, "batches differ from run to run, but not much"
