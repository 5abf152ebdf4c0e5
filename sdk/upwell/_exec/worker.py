"""Serves one pool: receives what its slots can start, and runs it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from upwell._core.limits import SQS_BATCH_ITEMS
from upwell._core.ports import Delivery
from upwell._core.prefetch import HELD_AT_MOST_S, Pace, ahead
from upwell._exec.executor import Executor
from upwell._exec.kernel import Kernel
from upwell._exec.slots import Slot, Slots

log = logging.getLogger("upwell.worker")

LONG_POLL_S = 20.0
RECEIVE_RETRY_S = 1.0


class Worker:
    """The receive loop of a pool in this process.

    It receives what free slots can start, and where actions are short a few more, so that slots do not wait for
    the queue. Those start as soon as a slot is free; they are given back if that takes too long, and when the
    worker stops.

    Args:
        kernel: The surroundings.
        executor: Handles what is received.
        pool: Whose queue to serve.
        slots: Attempts that may run at once.
        visibility_s: How long received messages stay hidden; extended with the lease.
        long_poll_s: How long one request for messages waits.
    """

    def __init__(
        self,
        kernel: Kernel,
        executor: Executor,
        *,
        pool: str,
        slots: int,
        visibility_s: float,
        long_poll_s: float = LONG_POLL_S,
    ) -> None:
        self._kernel = kernel
        self._executor = executor
        self._pool = pool
        self._long_poll_s = long_poll_s
        self._size = slots
        self._slots = Slots(slots)
        self._visibility_s = visibility_s
        self._receiving = 0
        self._running: set[asyncio.Task[bool]] = set()
        self._started = 0
        self._seen = 0
        self._pace = Pace()
        self._ahead: deque[Delivery] = deque()
        """Received and not started, the oldest first."""
        self._ahead_until = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether nothing computes here: no slot is held but the one that the receive loop waits with."""
        return self._slots.free >= self._size - self._receiving

    def was_busy(self) -> bool:
        """Whether anything was computed since this was last asked."""
        started, self._seen = self._started - self._seen, self._started
        return started > 0 or not self.is_idle

    async def serve(self) -> None:
        """Receive and run until cancelled; then the attempts under way are cancelled too."""
        try:
            while True:
                free = await self._free_slots()
                if self._ahead:
                    deliveries = [self._ahead.popleft() for _ in range(min(free, len(self._ahead)))]
                else:
                    deliveries = await self._receive_for(free)
                self._slots.release(free - len(deliveries))
                for delivery in deliveries:
                    self._start(delivery)
        finally:
            for running in self._running:
                running.cancel()
            await asyncio.gather(*self._running, self._give_back(), return_exceptions=True)

    async def _free_slots(self) -> int:
        """Wait for a slot and return how many were free and taken; give back what waits for one too long."""
        if self._ahead:
            clock = self._kernel.ports.clock
            turn = asyncio.ensure_future(self._slots.acquire())
            patience = asyncio.ensure_future(clock.sleep(max(0.0, self._ahead_until - clock.now())))
            try:
                await asyncio.wait({turn, patience}, return_when=asyncio.FIRST_COMPLETED)
                if not turn.done():
                    self._pace = self._pace.gave_back(clock.now())
                    await self._give_back()
                await turn
            finally:
                patience.cancel()
                turn.cancel()
        else:
            await self._slots.acquire()
        return 1 + self._slots.try_acquire(SQS_BATCH_ITEMS - 1)

    async def _receive_for(self, free: int) -> list[Delivery]:
        """Receive for slots that were taken; the caller releases those that are left over."""
        received: list[Delivery] = []
        try:
            self._receiving = free
            received = await self._receive(free)
        except BaseException:
            self._slots.release(free)
            raise
        finally:
            self._receiving = 0
        self._ahead.extend(received[free:])
        self._ahead_until = self._kernel.ports.clock.now() + HELD_AT_MOST_S
        return received[:free]

    async def _receive(self, free: int) -> list[Delivery]:
        clock = self._kernel.ports.clock
        asked_at = clock.now()
        wanted = min(free + ahead(self._pace, slots=self._size, now=asked_at), SQS_BATCH_ITEMS)
        try:
            received = await self._kernel.ports.queue.receive(
                self._pool, wanted, self._long_poll_s, self._visibility_s
            )
        except Exception:
            log.warning("could not receive; trying again", extra={"pool": self._pool}, exc_info=True)
            await clock.sleep(RECEIVE_RETRY_S)
            return []
        if len(received) == wanted:
            self._pace = self._pace.received(clock.now() - asked_at)
        return received

    async def _give_back(self) -> None:
        """Show what was received and not started to other workers, at once."""
        held, queue = list(self._ahead), self._kernel.ports.queue
        self._ahead.clear()
        for outcome in await asyncio.gather(*(queue.hide(d, 0.0) for d in held), return_exceptions=True):
            if isinstance(outcome, Exception):  # it is shown by itself, only later
                log.info("a message could not be given back", extra={"cause": str(outcome)})

    def _start(self, delivery: Delivery) -> None:
        self._started += 1
        running = asyncio.create_task(self._run(delivery, Slot(self._slots)))
        self._running.add(running)
        running.add_done_callback(self._ended)

    async def _run(self, delivery: Delivery, slot: Slot) -> bool:
        clock = self._kernel.ports.clock
        started_at = clock.now()
        try:
            return await self._executor.handle(delivery, slot)
        finally:
            self._pace = self._pace.ran(clock.now() - started_at)

    def _ended(self, running: asyncio.Task[bool]) -> None:
        self._running.discard(running)
        if not running.cancelled() and running.exception() is not None:
            log.error("an action could not be handled; it is delivered again", exc_info=running.exception())
