"""Serves one pool: receives what its slots can start, and runs it."""

from __future__ import annotations

import asyncio
import logging

from upwell._core.limits import SQS_BATCH_ITEMS
from upwell._core.ports import Delivery
from upwell._exec.executor import Executor
from upwell._exec.kernel import Kernel
from upwell._exec.slots import Slot, Slots

log = logging.getLogger("upwell.worker")

LONG_POLL_S = 20.0
RECEIVE_RETRY_S = 1.0


class Worker:
    """The receive loop of a pool in this process.

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
                await self._slots.acquire()
                free = 1 + self._slots.try_acquire(SQS_BATCH_ITEMS - 1)
                deliveries: list[Delivery] = []
                try:
                    self._receiving = free
                    deliveries = await self._receive(free)
                finally:
                    self._receiving = 0
                    self._slots.release(free - len(deliveries))
                for delivery in deliveries:
                    self._start(delivery)
        finally:
            for running in self._running:
                running.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _receive(self, free: int) -> list[Delivery]:
        try:
            return await self._kernel.ports.queue.receive(
                self._pool, free, self._long_poll_s, self._visibility_s
            )
        except Exception:
            log.warning("could not receive; trying again", extra={"pool": self._pool}, exc_info=True)
            await self._kernel.ports.clock.sleep(RECEIVE_RETRY_S)
            return []

    def _start(self, delivery: Delivery) -> None:
        self._started += 1
        running = asyncio.create_task(self._executor.handle(delivery, Slot(self._slots)))
        self._running.add(running)
        running.add_done_callback(self._ended)

    def _ended(self, running: asyncio.Task[bool]) -> None:
        self._running.discard(running)
        if not running.cancelled() and running.exception() is not None:
            log.error("an action could not be handled; it is delivered again", exc_info=running.exception())
