"""Runs the emulator with one correction: a long poll of a queue ends when a message comes.

The emulator looks into a polled queue ten times a second, so that a message waits 50 ms on average; SQS
answers at once. Here a waiting poll is woken by the next call that can make a message visible, and looks
as often as before otherwise (delays and visibility timeouts end by themselves).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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


def main() -> None:
    """Correct the emulator and run it."""
    from ministack.app import main as run  # type: ignore[import-untyped]  # the emulator has no types
    from ministack.services import sqs  # type: ignore[import-untyped]

    correct_long_polls(sqs)
    run()


if __name__ == "__main__":
    main()
