"""How the time of an attempt is told apart: its own, its waits, what others had."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.contract.store_samples import running
from tests.unit.manual_clock import ManualClock

from upwell._core.model import Attempt
from upwell._core.phases import Phases, Waits
from upwell._exec.sharing import Sharing
from upwell._exec.slots import Slot
from upwell._exec.timed_slot import TimedSlot

LONG = Phases(queued_s=100.0, run_s=100.0)


def attempt(sharing: Sharing, clock: ManualClock, called_at: float, *before: Attempt) -> TimedSlot:
    record = running()
    tries = (*before, replace(record.attempts[0], started_at=clock.now()))
    record = replace(record, spec=replace(record.spec, queued_at=called_at), attempts=tries)
    return TimedSlot(Slot(None), sharing, clock, record)


async def test_waits_for_children_are_not_its_own_time_and_leave_the_executor_to_others() -> None:
    clock = ManualClock()
    sharing = Sharing(2)
    parent = attempt(sharing, clock, clock.now())
    await clock.advance(1)
    parent.park()
    parent.park()
    child = attempt(sharing, clock, clock.now())
    await clock.advance(3)
    assert child.waits(LONG) == Waits()
    child.close()
    await parent.resume()
    await clock.advance(1)
    await parent.resume()
    await clock.advance(2)
    assert parent.waits(LONG) == pytest.approx((4.0, 0.0, 0.0))
    parent.park()
    await clock.advance(1)
    assert parent.waits(LONG) == pytest.approx((5.0, 0.0, 0.0))


async def test_attempts_at_the_same_time_share_their_executor() -> None:
    clock = ManualClock()
    sharing = Sharing(4)
    first = attempt(sharing, clock, clock.now())
    await clock.advance(2)
    second = attempt(sharing, clock, clock.now())
    await clock.advance(2)
    assert first.waits(LONG).shared_s == pytest.approx(1.0)
    first.close()
    await clock.advance(2)
    assert second.waits(LONG).shared_s == pytest.approx(1.0)


async def test_a_message_waits_for_a_slot_until_the_executor_is_not_full_any_more() -> None:
    clock = ManualClock()
    sharing = Sharing(1)
    called_at = clock.now()
    first = attempt(sharing, clock, called_at)
    assert first.waits(LONG).slot_s == 0
    await clock.advance(3)
    first.close()
    await clock.advance(0.5)
    late = attempt(sharing, clock, called_at + 1)
    assert late.waits(LONG).slot_s == pytest.approx(2.0)
    slept = replace(running().attempts[0], started_at=called_at, ended_at=called_at + 1, end="suspended")
    woken = attempt(sharing, clock, called_at, slept)
    assert woken.waits(LONG).slot_s == 0
    woken.close()
    late.close()
    await clock.advance(5)
    assert attempt(sharing, clock, clock.now() - 1).waits(LONG).slot_s == 0
