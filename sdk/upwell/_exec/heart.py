"""One timer for the heartbeats of all attempts in a process: most of these end before their first beat."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from itertools import count

from upwell._core.ports import Clock

Beat = Callable[[], Awaitable[bool]]
"""Keeps something alive; whether to go on."""


class Heartbeat:
    """The beats of one attempt.

    Args:
        beat: What is done at each.
        pause_s: From the end of one beat to the next.
    """

    def __init__(self, beat: Beat, pause_s: float) -> None:
        self.pause_s = pause_s
        self.under_way: asyncio.Task[bool] | None = None
        self._beat: Beat | None = beat
        self._context: Context | None = copy_context()

    @property
    def goes_on(self) -> bool:
        """Whether there is to be another beat."""
        return self._beat is not None

    def begin(self) -> asyncio.Task[bool] | None:
        """Begin a beat, unless they were stopped."""
        if self._beat is None:
            return None
        work: asyncio.Task[bool] = asyncio.create_task(self._run(self._beat), context=self._context)
        self.under_way = work
        return work

    async def _run(self, beat: Beat) -> bool:
        return await beat()

    async def stop(self) -> None:
        """Beat no more; a beat under way is cancelled, and waited for."""
        self._beat = self._context = None  # in the heap until it would have been due, and keeps nothing alive
        if self.under_way is not None:
            self.under_way.cancel()
            await asyncio.gather(self.under_way, return_exceptions=True)


class Heart:
    """Makes heartbeats happen when they are due.

    Args:
        clock: Beats are due by this clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[float, int, Heartbeat]] = []
        """Heap; those that were stopped are dropped when they are due."""
        self._numbers = count()
        self._timer: asyncio.Task[None] | None = None
        self._wakes_at = 0.0

    def start(self, beat: Beat, *, first_s: float, pause_s: float) -> Heartbeat:
        """Have something kept alive until it is stopped, or a beat says that it needs no more.

        Args:
            beat: Runs in the caller's context.
            first_s: Until the first beat.
            pause_s: From the end of one beat to the next.
        """
        heartbeat = Heartbeat(beat, pause_s)
        self._plan(heartbeat, first_s)
        return heartbeat

    def _plan(self, heartbeat: Heartbeat, in_s: float) -> None:
        due_at = self._clock.now() + in_s
        heapq.heappush(self._due, (due_at, next(self._numbers), heartbeat))
        if self._timer is not None and not self._timer.done():
            if self._wakes_at <= due_at:
                return
            self._timer.cancel()
        # In a context of its own: it serves many attempts.
        self._timer = asyncio.get_running_loop().create_task(self._tick(), context=Context())
        self._wakes_at = due_at

    async def _tick(self) -> None:
        while self._due:
            self._wakes_at = self._due[0][0]
            await self._clock.sleep(self._wakes_at - self._clock.now())
            while self._due and self._due[0][0] <= self._clock.now():
                self._beat(heapq.heappop(self._due)[2])

    def _beat(self, heartbeat: Heartbeat) -> None:
        work = heartbeat.begin()
        if work is not None:
            work.add_done_callback(lambda work: self._beaten(heartbeat, work))

    def _beaten(self, heartbeat: Heartbeat, work: asyncio.Task[bool]) -> None:
        if not work.cancelled() and work.exception() is None and work.result() and heartbeat.goes_on:
            self._plan(heartbeat, heartbeat.pause_s)
