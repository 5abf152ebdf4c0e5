"""A queue as SQS may be on a bad day: it repeats, delays and reorders, and forgets a deletion."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

from bench.faults.strikes import Plan
from upwell._core.limits import SQS_RECEIVES_MAX
from upwell._core.ports import Delivery
from upwell._core.wire import Message

LATE_S = 20.0
MISHAPS_MAX = 3
"""Of a kind, to one action: copies that wait send themselves anew, and would breed."""


class MessyQueue:
    """An `ActionQueue` around another one.

    Args:
        queue: The real one.
        plan: How often it misbehaves; counts what it did.
        chance: When.
        late_s: A message comes at most so much later than it could.
    """

    def __init__(self, queue: Any, plan: Plan, chance: Random, *, late_s: float = LATE_S) -> None:
        self._queue, self._plan, self._chance, self._most_s = queue, plan, chance, late_s
        self.on_dead: Callable[[Delivery], Awaitable[None]] | None = None
        """Handles what was received too often, as the handler of dead letters does."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    def _happens(self, probability: float, kind: str, message: Message) -> bool:
        mishap = (kind, message.action.action_id)
        if not probability or self._plan.mishaps[mishap] >= MISHAPS_MAX or self._chance.random() >= probability:
            return False
        self._plan.mishaps[mishap] += 1
        self._plan.happened[kind] += 1
        return True

    async def send(self, pool: str, messages: Sequence[Message], delay_s: float = 0.0) -> None:
        """Send messages; some twice, some later than asked for."""
        at_s: dict[float, list[Message]] = {}
        for message in messages:
            late_s = self._late_s(message)
            at_s.setdefault(late_s, []).append(message)
            if self._happens(self._plan.duplicates, "message duplicated", message):
                at_s.setdefault(self._chance.choice([0.0, self._most_s / 20, self._most_s]), []).append(message)
        for late_s, some in at_s.items():
            await self._queue.send(pool, some, delay_s + late_s)

    def _late_s(self, message: Message) -> float:
        if self._happens(self._plan.delays, "message delayed", message):
            return round(self._chance.uniform(0, self._most_s), 3)
        return 0.0

    async def receive(self, pool: str, max_messages: int, wait_s: float, visibility_s: float) -> list[Delivery]:
        """Receive messages; some are shown to others at once."""
        deliveries = await self._queue.receive(pool, max_messages, wait_s, visibility_s)
        if len(deliveries) > 1 and self._plan.delays:
            self._chance.shuffle(deliveries)
            self._plan.happened["messages reordered"] += 1
        alive = []
        for delivery in deliveries:
            if delivery.received > SQS_RECEIVES_MAX and self.on_dead is not None:
                self._plan.happened["dead letter"] += 1
                await self.on_dead(delivery)
                continue
            if self._happens(self._plan.redeliveries, "message redelivered", delivery.message):
                await self._queue.send(pool, [delivery.message], self._chance.choice([0.0, 2.0]))
            alive.append(delivery)
        return alive

    async def delete(self, deliveries: Sequence[Delivery]) -> None:
        """Delete messages; some come again."""
        for delivery in deliveries:
            if self._happens(self._plan.forgotten_deletes, "delete forgotten", delivery.message):
                await self._queue.hide(delivery, 1.0)
            else:
                await self._queue.delete([delivery])
