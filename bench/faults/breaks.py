"""Takes one guard of the engine out, from outside, to show that the harness sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal, get_args

from upwell._core.commands import Command, Decision, Finish, Wake
from upwell._core.decide import decide
from upwell._core.model import ActionRecord, Status
from upwell._core.ports import Delivery
from upwell._exec import transition

Guard = Literal["claim", "fence", "order", "wake", "redelivery"]
GUARDS: tuple[Guard, ...] = get_args(Guard)
NEVER_S = 10.0**9


@contextmanager
def decisions(broken: Guard | None) -> Iterator[None]:
    """Decide without a guard for the block."""
    without = {"fence": _without_fence, "wake": _without_wake}.get(broken or "")
    if without is None:
        yield
        return
    transition.decide = without
    try:
        yield
    finally:
        transition.decide = decide


def _without_fence(record: ActionRecord | None, command: Command, now: float) -> Decision:
    """A finish counts whatever lease it is of, and whatever became of the action."""
    if isinstance(command, Finish) and record is not None and record.lease is not None:
        lease = replace(record.lease, id=command.lease_id)
        record = replace(record, lease=lease, status=Status.RUNNING, outcome=None)
    return decide(record, command, now)


def _without_wake(record: ActionRecord | None, command: Command, now: float) -> Decision:
    """A child that ended leaves its parent asleep."""
    return Decision(None) if isinstance(command, Wake) else decide(record, command, now)


def store(broken: Guard | None, adapter: Any) -> Any:
    """Return a store without a guard."""
    return _CarelessStore(adapter) if broken == "claim" else adapter


def queue(broken: Guard | None, adapter: Any) -> Any:
    """Return a queue without a guard."""
    if broken == "order":
        return _HastyQueue(adapter)
    return _ForgetfulQueue(adapter) if broken == "redelivery" else adapter


class _Around:
    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)


class _CarelessStore(_Around):
    """Writes a claim whatever is there."""

    async def save(self, record: ActionRecord, *, expected: int | None) -> bool:
        accepted: bool = await self._adapter.save(record, expected=expected)
        if accepted or record.status is not Status.RUNNING or record.attempts[-1].ended_at is not None:
            return accepted
        there = await self._adapter.get(record.key)
        if there is None or (there.lease and record.lease and there.lease.id == record.lease.id):
            return False
        again: bool = await self._adapter.save(
            replace(record, version=there.version + 1), expected=there.version
        )
        return again


class _HastyQueue(_Around):
    """Deletes a message as soon as it is received: before the outcome of its action is recorded."""

    async def receive(self, *args: Any, **kwargs: Any) -> list[Delivery]:
        deliveries: list[Delivery] = await self._adapter.receive(*args, **kwargs)
        await self._adapter.delete(deliveries)
        return deliveries


class _ForgetfulQueue(_Around):
    """Never shows again what was received once."""

    async def receive(self, pool: str, max_messages: int, wait_s: float, visibility_s: float) -> Sequence[Any]:
        deliveries: Sequence[Any] = await self._adapter.receive(pool, max_messages, wait_s, NEVER_S)
        return deliveries

    async def hide(self, delivery: Delivery, visibility_s: float) -> None:
        await self._adapter.hide(delivery, NEVER_S)
