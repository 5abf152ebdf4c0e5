"""Runs the emulator with two corrections of its queues.

A long poll ends when a message comes. The emulator looks into a polled queue ten times a second, so that a
message waits 50 ms on average; SQS answers at once. Here a waiting poll is woken by the next call that can make
a message visible, and looks as often as before otherwise (delays and visibility timeouts end by themselves).

Standard queues are fair. The emulator gives out the oldest message; SQS lets message groups with few messages
in flight go before those with many.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

ADDS_MESSAGES = ("_act_send_message", "_act_change_visibility")
"""Functions of the emulator through which every message comes (batches call them one by one)."""


class Waiting:
    """Stands for `asyncio` in the emulator's SQS module: `sleep` can be cut short."""

    def __init__(self) -> None:
        self._arrival: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, delay: float) -> None:
        """Sleep, but no longer than until a message comes."""
        if self._arrival is None:
            self._loop, self._arrival = asyncio.get_running_loop(), asyncio.Event()
        try:
            await asyncio.wait_for(self._arrival.wait(), delay)
        except TimeoutError:
            return

    def wake(self) -> None:
        """End all sleeps. Callable from any thread: state machines send from threads of their own."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        assert self._arrival is not None
        self._arrival.set()
        self._arrival = asyncio.Event()


def waking(operation: Callable[..., Any], waiting: Waiting) -> Callable[..., Any]:
    """Wrap an operation of the emulator so that it ends the sleeps."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = operation(*args, **kwargs)
        waiting.wake()
        return result

    return wrapper


def correct_long_polls(sqs: Any) -> None:
    """Replace what the emulator's SQS module sleeps with, and its operations that add messages."""
    waiting = Waiting()
    sqs.asyncio = waiting
    for name in ADDS_MESSAGES:
        original = getattr(sqs, name)
        corrected = waking(original, waiting)
        setattr(sqs, name, corrected)
        for action, operation in list(sqs._HANDLERS.items()):
            if operation is original:
                sqs._HANDLERS[action] = corrected


def fair_turn(messages: Iterable[dict[str, Any]], count: int, now: float) -> list[dict[str, Any]]:
    """Return the messages to give out next: each the oldest of the group that has the fewest in flight.

    Args:
        messages: Of a queue, in its order.
        count: At most so many.
        now: The time, epoch seconds.
    """
    visible: dict[Any, list[dict[str, Any]]] = {}
    in_flight: Counter[Any] = Counter()
    for message in messages:
        group = message.get("group_id")
        if message.get("visible_at", 0.0) <= now:
            line = visible.setdefault(group, [])
            if len(line) < count:
                line.append(message)
        elif message.get("receive_count", 0):
            in_flight[group] += 1
    turn: list[dict[str, Any]] = []
    while visible and len(turn) < count:
        group = min(visible, key=lambda name: in_flight[name])  # of equals the one whose message is the oldest
        turn.append(visible[group].pop(0))
        in_flight[group] += 1
        if not visible[group]:
            del visible[group]
    return turn


def correct_order(sqs: Any) -> None:
    """Replace the choice of the messages that a standard queue gives out."""
    original = sqs._collect_msgs

    def collect(queue: dict[str, Any], count: int, visibility_s: int) -> Any:
        if queue["is_fifo"]:
            return original(queue, count, visibility_s)
        turn = fair_turn(queue["messages"], count, time.time())
        return original({"is_fifo": False, "messages": turn}, count, visibility_s)

    sqs._collect_msgs = collect


def main() -> None:
    """Correct the emulator and run it."""
    from ministack.app import main as run  # type: ignore[import-untyped]  # the emulator has no types
    from ministack.services import sqs  # type: ignore[import-untyped]

    correct_long_polls(sqs)
    correct_order(sqs)
    run()


if __name__ == "__main__":
    main()
