"""Heartbeats: due by the clock, one after the other, each attempt's apart from the others'."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextvars import ContextVar

from tests.unit.manual_clock import ManualClock, settle

from upwell._exec.heart import Heart

where: ContextVar[str] = ContextVar("where", default="nowhere")


class Pulse:
    """Counts its beats; can be held up, can fail, and can have had enough."""

    def __init__(self) -> None:
        self.beats = 0
        self.places: list[str] = []
        self.goes_on = True
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def beat(self) -> bool:
        self.beats += 1
        self.places.append(where.get())
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.goes_on


async def test_beats_come_when_they_are_due() -> None:
    clock, pulse = ManualClock(), Pulse()
    Heart(clock).start(pulse.beat, first_s=1, pause_s=10)
    await settle()
    seen = []
    for at_s in range(1, 25):
        await clock.advance(1)
        seen.append((at_s, pulse.beats))
    assert [at_s for at_s, beats in seen if beats == 1] == list(range(1, 11))
    assert [at_s for at_s, beats in seen if beats == 2] == list(range(11, 21))
    assert pulse.beats == 3


async def test_one_that_is_due_earlier_does_not_wait_for_those_that_were_there_before() -> None:
    clock, early, late = ManualClock(), Pulse(), Pulse()
    heart = Heart(clock)
    heart.start(late.beat, first_s=10, pause_s=10)
    await settle()
    heart.start(early.beat, first_s=1, pause_s=10)
    await settle()
    await clock.advance(1)
    assert (early.beats, late.beats) == (1, 0)
    await clock.advance(9)
    assert (early.beats, late.beats) == (1, 1)
    assert len(clock.sleepers) == 1


async def test_a_beat_that_hangs_holds_up_no_other() -> None:
    clock, hung, other = ManualClock(), Pulse(), Pulse()
    heart = Heart(clock)
    hung.gate.clear()
    heart.start(hung.beat, first_s=1, pause_s=1)
    heart.start(other.beat, first_s=1, pause_s=1)
    await settle()
    for _ in range(3):
        await clock.advance(1)
    assert (hung.beats, other.beats) == (1, 3)
    hung.gate.set()
    await settle()
    await clock.advance(1)
    assert hung.beats == 2


async def test_after_the_last_beat_there_is_no_timer() -> None:
    clock, pulse = ManualClock(), Pulse()
    pulse.goes_on = False
    Heart(clock).start(pulse.beat, first_s=1, pause_s=1)
    await settle()
    await clock.advance(1)
    await clock.advance(1)
    assert pulse.beats == 1
    assert clock.sleepers == []


async def test_what_was_stopped_beats_no_more_and_a_beat_under_way_is_cancelled() -> None:
    clock, idle, busy = ManualClock(), Pulse(), Pulse()
    heart = Heart(clock)
    busy.gate.clear()
    before = heart.start(idle.beat, first_s=2, pause_s=1)
    during = heart.start(busy.beat, first_s=1, pause_s=1)
    await settle()
    await clock.advance(1)
    await before.stop()
    await during.stop()
    assert during.under_way is not None
    assert during.under_way.cancelled()
    for _ in range(3):
        await clock.advance(1)
    assert (idle.beats, busy.beats) == (0, 1)


async def test_one_that_broke_leaves_the_others_alone() -> None:
    clock, broken, other = ManualClock(), Pulse(), Pulse()
    heart = Heart(clock)
    broken.error = RuntimeError("broken")
    heart.start(broken.beat, first_s=1, pause_s=1)
    heart.start(other.beat, first_s=1, pause_s=1)
    await settle()
    await clock.advance(1)
    await clock.advance(1)
    assert (broken.beats, other.beats) == (1, 2)


async def test_beats_run_in_the_context_of_who_started_them() -> None:
    clock, first, second = ManualClock(), Pulse(), Pulse()
    heart = Heart(clock)

    async def begin(name: str, pulse: Pulse) -> None:
        where.set(name)
        heart.start(pulse.beat, first_s=1, pause_s=1)

    await asyncio.create_task(begin("first", first))
    await asyncio.create_task(begin("second", second))
    await settle()
    await clock.advance(1)
    assert (first.places, second.places) == (["first"], ["second"])


async def test_what_was_stopped_is_not_kept_until_it_would_have_been_due() -> None:
    clock, pulse = ManualClock(), Pulse()
    heart = Heart(clock)
    heartbeat = heart.start(pulse.beat, first_s=1000, pause_s=1)
    await heartbeat.stop()
    gone = weakref.ref(pulse)
    del pulse
    gc.collect()
    assert gone() is None


def test_it_outlives_event_loops() -> None:
    clock, pulse = ManualClock(), Pulse()
    heart = Heart(clock)

    async def leave() -> None:
        heart.start(pulse.beat, first_s=5, pause_s=1)
        await settle()

    async def come_back() -> None:
        other = Pulse()
        heart.start(other.beat, first_s=1, pause_s=1)
        await settle()
        await clock.advance(1)
        assert other.beats == 1

    asyncio.run(leave())
    asyncio.run(come_back())
