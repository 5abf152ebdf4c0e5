"""Queues in memory: what SQS does, on the engine's clock, for one process.

A message is either *ready* (in its run's line; runs take turns) or *hidden* until an instant (delayed, or
received and not yet deleted). One alarm per pool shows what is due, and ends waits. It is armed while somebody
waits, and stays so from one wait to the next.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import OrderedDict, deque
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass, field

from upwell._core.ports import Clock, Delivery
from upwell._core.wire import Message

_STALE_KEPT = 64
"""Outdated entries of the heap that are tolerated before it is rebuilt."""


@dataclass(slots=True, eq=False)
class _Held:
    """A message in a queue."""

    id: str
    message: Message
    received: int = 0
    ticket: int = 0
    """Of its entry in the heap that counts; 0 when it isn't hidden."""

    @property
    def receipt(self) -> str:
        return f"{self.id}:{self.received}"


@dataclass(slots=True)
class _Pool:
    """The messages of one pool, and who waits for them."""

    held: dict[str, _Held] = field(default_factory=dict)
    ready: OrderedDict[str, deque[_Held]] = field(default_factory=OrderedDict)
    """A line per run; the run at the front has the next turn."""
    hidden: list[tuple[float, int, _Held]] = field(default_factory=list)
    """Heap of (shown at, ticket, message); outdated where the ticket isn't the message's."""
    stale: int = 0
    waiters: dict[asyncio.Future[None], float] = field(default_factory=dict)
    """Receivers with nothing to receive, the one that waits longest first, and until when they wait."""
    alarm: asyncio.Task[None] | None = None
    alarm_at: float = 0.0

    def show(self, held: _Held) -> None:
        """Put a message into its run's line."""
        held.ticket = 0
        self.ready.setdefault(held.message.action.run.run_id, deque()).append(held)

    def conceal(self, held: _Held, until: float, ticket: int) -> None:
        """Hide a message until an instant."""
        self.outdate(held)
        held.ticket = ticket
        heapq.heappush(self.hidden, (until, ticket, held))

    def outdate(self, held: _Held) -> None:
        """Make the heap's entry of a message, if there is one, count no longer."""
        if not held.ticket:
            return
        held.ticket = 0
        self.stale += 1
        if self.stale > _STALE_KEPT + len(self.hidden) // 2:
            self.hidden = [entry for entry in self.hidden if entry[1] == entry[2].ticket]
            heapq.heapify(self.hidden)
            self.stale = 0

    def show_due(self, now: float) -> None:
        """Show what is due, and wake as many receivers."""
        shown = 0
        while self.hidden and self.hidden[0][0] <= now:
            _, ticket, held = heapq.heappop(self.hidden)
            if ticket == held.ticket:
                self.show(held)
                shown += 1
            else:
                self.stale -= 1
        self.wake(shown)

    def end_waits(self, now: float) -> None:
        """Let receivers go that have waited for as long as they wanted."""
        for waiter in [waiter for waiter, until in self.waiters.items() if until <= now]:
            del self.waiters[waiter]
            if not waiter.done():
                waiter.set_result(None)

    @property
    def due_at(self) -> float:
        """When something is to be done next for those who wait."""
        return min([*self.waiters.values(), *(until for until, _, _ in self.hidden[:1])])

    def take(self) -> _Held | None:
        """Take the next message off the ready ones: the oldest of the run whose turn it is."""
        while self.ready:
            run_id, line = next(iter(self.ready.items()))
            held = line.popleft()
            if line:
                self.ready.move_to_end(run_id)
            else:
                del self.ready[run_id]
            if held.id in self.held:  # not deleted while it was ready
                return held
        return None

    def newest(self, delivery: Delivery) -> _Held | None:
        """Return the message of a delivery, unless it is gone or was received again since."""
        held = self.held.get(delivery.receipt.partition(":")[0])
        return held if held is not None and held.receipt == delivery.receipt else None

    def wake(self, count: int) -> None:
        """Let up to `count` receivers look again."""
        while count > 0 and self.waiters:
            waiter = next(iter(self.waiters))
            del self.waiters[waiter]
            if not waiter.done():
                waiter.set_result(None)
                count -= 1


class MemoryQueue:
    """`ActionQueue` in memory. Pools exist by being used; every operation takes at most O(log n) per message.

    Args:
        clock: Delays and visibility timeouts pass on this clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pools: dict[str, _Pool] = {}
        self._numbers = itertools.count(1)

    def _pool(self, name: str) -> _Pool:
        return self._pools.setdefault(name, _Pool())

    async def send(self, pool: str, messages: Sequence[Message], delay_s: float = 0.0) -> None:
        """Send messages; a receiver that waits gets them at once."""
        queue = self._pool(pool)
        for message in messages:
            number = next(self._numbers)
            held = _Held(str(number), message)
            queue.held[held.id] = held
            if delay_s > 0:
                queue.conceal(held, self._clock.now() + delay_s, number)
            else:
                queue.show(held)
        if delay_s > 0:
            self._arm(queue)
        else:
            queue.wake(len(messages))

    async def waiting(self, pool: str) -> int:
        """Return how many messages are ready to be received, or delayed."""
        queue = self._pool(pool)
        queue.show_due(self._clock.now())
        return sum(not held.ticket or not held.received for held in queue.held.values())

    async def receive(self, pool: str, max_messages: int, wait_s: float, visibility_s: float) -> list[Delivery]:
        """Wait for messages and hide them from other receivers for `visibility_s`."""
        queue = self._pool(pool)
        give_up_at = self._clock.now() + wait_s
        while True:
            now = self._clock.now()
            queue.show_due(now)
            deliveries = self._take(pool, queue, max_messages, now + visibility_s)
            if deliveries or now >= give_up_at:
                return deliveries
            await self._wait(queue, give_up_at)

    def _take(self, pool: str, queue: _Pool, count: int, hidden_until: float) -> list[Delivery]:
        deliveries: list[Delivery] = []
        while len(deliveries) < count and (held := queue.take()) is not None:
            held.received += 1
            queue.conceal(held, hidden_until, next(self._numbers))
            deliveries.append(
                Delivery(pool=pool, message=held.message, receipt=held.receipt, received=held.received)
            )
        if deliveries:
            self._arm(queue)
        return deliveries

    async def delete(self, deliveries: Sequence[Delivery]) -> None:
        """Remove messages for good."""
        for delivery in deliveries:
            queue = self._pool(delivery.pool)
            if (held := queue.newest(delivery)) is not None:
                queue.outdate(held)
                del queue.held[held.id]

    async def hide(self, delivery: Delivery, visibility_s: float) -> None:
        """Change how long a received message stays hidden, from now; 0 shows it at once."""
        queue = self._pool(delivery.pool)
        queue.show_due(self._clock.now())
        held = queue.newest(delivery)
        if held is None or not held.ticket:  # gone, or shown again already
            return
        if visibility_s > 0:
            queue.conceal(held, self._clock.now() + visibility_s, next(self._numbers))
            self._arm(queue)
        else:
            queue.outdate(held)
            queue.show(held)
            queue.wake(1)

    async def _wait(self, queue: _Pool, until: float) -> None:
        """Return when there may be something to receive, or at an instant."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.waiters[waiter] = until
        self._arm(queue)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                queue.wake(1)  # what woke this receiver is for another one now
            queue.waiters.pop(waiter, None)
            if not queue.waiters:
                self._disarm(queue)
            raise

    def _arm(self, queue: _Pool) -> None:
        """See to it that waiting receivers wake when something is due."""
        if not queue.waiters:
            return
        due_at = queue.due_at
        if queue.alarm is not None and queue.alarm_at <= due_at:
            return
        self._disarm(queue)
        queue.alarm_at = due_at
        queue.alarm = asyncio.get_running_loop().create_task(self._ring(queue, due_at), context=Context())

    def _disarm(self, queue: _Pool) -> None:
        if queue.alarm is not None:
            queue.alarm.cancel()
            queue.alarm = None

    async def _ring(self, queue: _Pool, due_at: float) -> None:
        await self._clock.sleep(due_at - self._clock.now())
        queue.alarm = None  # this task; not to be cancelled by its successor
        now = self._clock.now()
        queue.show_due(now)
        queue.end_waits(now)
        self._arm(queue)
