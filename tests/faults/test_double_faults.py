"""A process dies at the worst moment, and its queue loses everything: the sweeper ends the run, alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.faults import sleeper
from tests.faults.fleet import Chance, Fleet, local_fleet, moto_fleet

from upwell._core.journal import Completed, Scheduled
from upwell._core.model import ActionRecord, RunRecord, Status
from upwell._core.sweep import Remedy
from upwell._exec.payloads import unpack
from upwell._exec.sweeper import Sweeper
from upwell.testing.clock import SkippingClock

Strikes = Callable[[str, tuple[Any, ...]], bool]
LONG_S = {"local": 3000.0, "moto": 60.0}
MAIN, CHILD = ("main", "quick_main"), ("slow", "quick")


def writes(tasks: tuple[str, ...], status: Status) -> Strikes:
    """Strike when a record of one of the tasks is written in this status."""

    def strikes(effect: str, args: tuple[Any, ...]) -> bool:
        record = args[0] if effect == "store.save" else None
        if not isinstance(record, ActionRecord):
            return False
        return record.spec.task.name.rpartition(".")[2] in tasks and record.status is status

    return strikes


def journals(kind: type[Any]) -> Strikes:
    """Strike when an entry of this kind is written."""
    return lambda effect, args: effect == "store.append" and any(isinstance(e, kind) for e in args[2])


def sends_first_child() -> Strikes:
    """Strike when the child is sent for the first time."""
    sent: list[str] = []

    def strikes(effect: str, args: tuple[Any, ...]) -> bool:
        if effect != "queue.send" or args[1][0].action.parent_id is None or sent:
            return False
        sent.append(effect)
        return True

    return strikes


DEATHS: dict[str, tuple[Strikes, Remedy]] = {
    "a claimed root": (writes(MAIN, Status.RUNNING), Remedy.SEND),
    "a child that was just sent": (journals(Scheduled), Remedy.SEND),
    "a claimed child": (writes(CHILD, Status.RUNNING), Remedy.SEND),
    "a child that is to be retried": (writes(CHILD, Status.QUEUED), Remedy.SEND),
    "a parent that fell asleep": (writes(MAIN, Status.SUSPENDED), Remedy.SEND),
    "a child that ended": (writes(CHILD, Status.SUCCEEDED), Remedy.TELL),
    "a child that told its parent's journal": (journals(Completed), Remedy.WAKE),
    "a parent that was woken": (writes(MAIN, Status.QUEUED), Remedy.SEND),
    "a root that ended": (writes(MAIN, Status.SUCCEEDED), Remedy.TELL),
}


ON_MOTO = (
    "a claimed child",
    "a child that ended",
    "a child that told its parent's journal",
)
"""One for each remedy: time passes slowly there."""


async def begin(fleet: Fleet, backend: str) -> RunRecord:
    return await fleet.start(sleeper.main if backend == "local" else sleeper.quick_main)


async def check(fleet: Fleet, run: RunRecord) -> None:
    """See that the run has its result, and that nothing of it is open."""
    assert run.status is Status.SUCCEEDED, (run.status, run.outcome, fleet.remedies)
    assert run.outcome is not None
    assert run.outcome.output is not None
    data = await unpack(fleet.ports.blobs, run.outcome.output)
    assert sleeper.main.interface.decode_output(data) == sleeper.RESULT
    actions = [action async for action in fleet.ports.store.list_actions(run.spec.run_id)]
    assert {action.status for action in actions} == {Status.SUCCEEDED}


async def lose(fleet: Fleet, backend: str, strikes: Strikes) -> RunRecord:
    """Let a process die of an effect, and with it what is in the queue."""
    run = await begin(fleet, backend)
    chance = Chance(strikes)
    run = await fleet.live(run, chance, sweeps=False, for_s=LONG_S[backend])
    assert not run.status.is_terminal, "the process was to die before"
    fleet.lose_messages(fleet)
    return run


@pytest.mark.parametrize("what", DEATHS)
async def test_what_was_lost_with_its_message_is_found_on_local(tmp_path: Path, what: str) -> None:
    strikes, remedy = DEATHS[what]
    with local_fleet(tmp_path, suspends=True) as fleet:
        run = await lose(fleet, "local", strikes)
        run = await fleet.live(run, Chance(), sweeps=False, for_s=LONG_S["local"])
        assert not run.status.is_terminal, "nobody else ends it"
        run = await fleet.live(run, Chance(), sweeps=True, for_s=LONG_S["local"])
        await check(fleet, run)
        assert remedy in fleet.remedies


@pytest.mark.slow
@pytest.mark.parametrize("what", ON_MOTO)
def test_what_was_lost_with_its_message_is_found_on_moto(tmp_path: Path, what: str) -> None:
    strikes, remedy = DEATHS[what]

    async def scenario(fleet: Fleet) -> None:
        run = await lose(fleet, "moto", strikes)
        run = await fleet.live(run, Chance(), sweeps=True, for_s=LONG_S["moto"])
        await check(fleet, run)
        assert remedy in fleet.remedies

    with moto_fleet(tmp_path, suspends=True) as fleet:
        asyncio.run(scenario(fleet))


@pytest.mark.parametrize("suspends", [False, True])
async def test_a_child_whose_message_is_lost_is_sent_again_by_its_parent(
    tmp_path: Path, suspends: bool
) -> None:
    with local_fleet(tmp_path, suspends=suspends) as fleet:
        run = await begin(fleet, "local")
        chance = Chance(drops=sends_first_child())
        run = await fleet.live(run, chance, sweeps=False, for_s=LONG_S["local"])
        assert not run.status.is_terminal, "nobody else ends it"
        run = await fleet.live(run, Chance(), sweeps=True, for_s=LONG_S["local"])
        await check(fleet, run)
        expected = {Remedy.MISS: 1, Remedy.WAKE: 1} if suspends else {Remedy.MISS: 1}
        assert fleet.remedies == expected


@pytest.mark.parametrize("backend", ["local", pytest.param("moto", marks=pytest.mark.slow)])
def test_a_root_whose_message_is_lost_is_sent_again_and_its_end_recorded(tmp_path: Path, backend: str) -> None:
    async def scenario(fleet: Fleet) -> None:
        run = await begin(fleet, backend)
        fleet.lose_messages(fleet)
        run = await fleet.live(run, Chance(), sweeps=True, for_s=LONG_S[backend])
        await check(fleet, run)
        assert fleet.remedies[Remedy.SEND] == 1

    with (local_fleet if backend == "local" else moto_fleet)(tmp_path, suspends=False) as fleet:
        asyncio.run(scenario(fleet))


async def test_what_a_run_leaves_open_that_timed_out_is_aborted(tmp_path: Path) -> None:
    """The process that would have aborted the root when the run ended is gone."""
    with local_fleet(tmp_path, suspends=True) as fleet:
        run = await fleet.start(sleeper.main, timeout_s=50)
        run = await fleet.live(run, Chance(), sweeps=False, for_s=60)
        assert run.status is Status.TIMED_OUT
        fleet.lose_messages(fleet)
        sweeper, clock = Sweeper(fleet.kernel()), fleet.ports.clock
        assert isinstance(clock, SkippingClock)
        for _ in range(10):
            clock.skip(fleet.settings.sweep_s)
            await sweeper.sweep()
        actions = [action async for action in fleet.ports.store.list_actions(run.spec.run_id)]
        assert {action.status for action in actions} == {Status.ABORTED}
        assert (await fleet.run()).look_at is None, "there is nothing to look for any more"
