"""What is known in this process without asking AWS: who waits here, and what runs here."""

from __future__ import annotations

from collections.abc import Callable

from upwell._core.journal import Completed
from upwell._core.model import ActionKey


class Hub:
    """Hands outcomes to parents, and requests to stop to attempts, that live in the same process.

    It only saves time: everything that passes through it is also in the store.
    """

    def __init__(self) -> None:
        self._parents: dict[ActionKey, Callable[[Completed], None]] = {}
        self._running: dict[ActionKey, Callable[[], None]] = {}

    def expect(self, parent: ActionKey, take: Callable[[Completed], None]) -> None:
        """Let a waiting parent be called for each child that ends here."""
        self._parents[parent] = take

    def forget(self, parent: ActionKey, take: Callable[[Completed], None]) -> None:
        """Undo `expect`, unless a later attempt of the parent took its place."""
        if self._parents.get(parent) == take:
            del self._parents[parent]

    def hand_over(self, parent: ActionKey, entry: Completed) -> None:
        """Give an outcome to its parent, if it is here."""
        take = self._parents.get(parent)
        if take is not None:
            take(entry)

    def started(self, action: ActionKey, stop: Callable[[], None]) -> None:
        """Note an attempt that runs here."""
        self._running[action] = stop

    def ended(self, action: ActionKey, stop: Callable[[], None]) -> None:
        """Undo `started`."""
        if self._running.get(action) == stop:
            del self._running[action]

    def stop(self, action: ActionKey) -> None:
        """Stop an attempt, if it runs here."""
        stop = self._running.get(action)
        if stop is not None:
            stop()
