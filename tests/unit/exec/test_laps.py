"""Where an attempt's time goes, measured on both sides of the boundary."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.unit.exec import guests
from tests.unit.exec.engine import engine
from tests.unit.exec.test_user_processes import processes

import upwell
from upwell._core.model import ActionRecord
from upwell._core.phases import NOTHING, Phases
from upwell._exec.laps import FirstReceipt, Laps, Noticing

env = upwell.TaskEnvironment("laps")


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> float:
        return self.at


def phases_of(record: ActionRecord) -> Phases:
    return Phases.unpacked(record.attempts[-1].phases)


def test_a_watch_is_in_one_phase_at_a_time() -> None:
    clock = Clock()
    laps = Laps(clock.now)
    clock.at += 1
    laps.enter("run_s")
    clock.at += 5
    assert laps.so_far() == Phases(input_s=1, run_s=5)
    laps.enter("output_s")
    clock.at += 2
    laps.enter(None)
    clock.at += 50
    assert laps.so_far() == Phases(input_s=1, run_s=5, output_s=2)


def test_what_the_other_side_cannot_account_for_is_the_way_to_its_process() -> None:
    clock = Clock()
    laps = Laps(clock.now)
    laps.enter("run_s")
    clock.at += 10
    laps.take(Phases(bundle_s=1, input_s=0.5, run_s=6, output_s=0.5))
    assert laps.so_far() == Phases(bundle_s=3, input_s=0.5, run_s=6, output_s=0.5)


def test_of_a_process_that_died_the_whole_time_is_run() -> None:
    clock = Clock()
    laps = Laps(clock.now)
    laps.enter("run_s")
    clock.at += 10
    laps.take(NOTHING)
    assert laps.so_far() == Phases(run_s=10)


def test_the_start_of_an_executor_is_given_to_one_attempt_alone() -> None:
    first = FirstReceipt(ready_at=100.0)
    started = first.take()
    assert started is not None
    assert started[1] == 100.0
    assert first.take() is None


def test_what_came_late_is_summed_by_task() -> None:
    noticing = Noticing()
    noticing.note("a", 100.0, 100.5)
    noticing.note("a", 100.0, 100.25)
    noticing.note("b", 100.0, 99.0)  # its clock is ahead of ours
    assert noticing.kept() == (("a", 2, 0.75, 0.5), ("b", 1, 0.0, 0.0))


PAUSE_S = 0.03


@env.task
async def waits() -> int:
    await asyncio.sleep(PAUSE_S)
    return 1


@env.task
async def parent(n: int) -> int:
    return sum(await asyncio.gather(*(waits() for _ in range(n))))


@env.task
async def fails() -> None:
    await asyncio.sleep(PAUSE_S)
    raise ValueError("no")


async def test_the_phases_of_an_attempt_fill_its_time(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        assert (await e.run(parent, 3)).unwrap() == 3
        for record in [*await e.actions_of(waits), await e.action_of(parent)]:
            phases, attempt = phases_of(record), record.attempts[-1]
            assert attempt.ended_at is not None
            held_s = attempt.ended_at - attempt.started_at
            inside_s = phases.total_s - phases.queued_s - phases.start_s
            assert phases.run_s >= PAUSE_S * 0.9
            assert inside_s <= held_s + 1e-4
        (own,) = (await e.action_of(parent)).attempts[-1].noticed
        assert (own.task, own.children) == (waits.name, 3)
        assert own.max_s <= own.sum_s


async def test_a_failure_has_phases(tmp_path: Path) -> None:
    async with engine(tmp_path) as e:
        await e.run(fails)
        assert phases_of(await e.action_of(fails)).run_s >= PAUSE_S * 0.9


async def test_phases_pass_from_a_process_of_the_users(tmp_path: Path) -> None:
    async with engine(tmp_path, users=processes()) as e:
        assert (await e.run(guests.gathered, 3)).unwrap() == 6
        root = phases_of(await e.action_of(guests.gathered))
        assert root.bundle_s > 0  # the fork
        assert root.run_s > 0
        assert all(phases_of(child).run_s > 0 for child in await e.actions_of(guests.add))
