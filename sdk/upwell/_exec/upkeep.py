"""What a parent does for children besides waiting: sends again what got lost, ends what is late."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any

from upwell._core.bounds import is_bounded
from upwell._core.journal import Journal
from upwell._core.model import ActionSpec
from upwell._exec.endings import end_in_time
from upwell._exec.kernel import Kernel

log = logging.getLogger("upwell.driver")

Send = Callable[[], Awaitable[None]]


class Upkeep:
    """Of one parent.

    Args:
        kernel: The surroundings.
        journal: Says which messages are lost.
    """

    def __init__(self, kernel: Kernel, journal: Journal) -> None:
        self._kernel = kernel
        self._journal = journal
        self._senders: dict[str, Send] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}

    @contextmanager
    def of(self, child: ActionSpec, send: Send) -> Iterator[None]:
        """Look after a child for as long as it is waited for.

        Args:
            child: The child.
            send: Sends it once more.
        """
        self._senders[child.action_id] = send
        bounds = _start(self._end_in_time(child)) if is_bounded(child) else None
        try:
            yield
        finally:
            del self._senders[child.action_id]
            sending = self._sending.pop(child.action_id, None)
            for task in (bounds, sending):
                if task is not None:
                    task.cancel()

    def send_lost(self) -> None:
        """Send the children again whose messages the journal says are lost."""
        for action_id in self._journal.lost:
            send = self._senders.get(action_id)
            if send is not None and action_id not in self._sending:
                self._sending[action_id] = _start(self._send(action_id, send))

    async def _send(self, action_id: str, send: Send) -> None:
        log.warning("the message of a child was lost; sending it again", extra={"action_id": action_id})
        try:
            await send()
        except Exception:  # the next look at the journal tries again
            log.warning("a child could not be sent again", extra={"action_id": action_id}, exc_info=True)
        finally:
            self._sending.pop(action_id, None)

    async def _end_in_time(self, child: ActionSpec) -> None:
        while True:
            try:
                return await end_in_time(self._kernel, child)
            except Exception:
                log.warning(
                    "the bounds of a child could not be enforced",
                    extra={"action_id": child.action_id},
                    exc_info=True,
                )
                await self._kernel.ports.clock.sleep(self._kernel.settings.silence_s)


def _start(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start work in a context of its own: what it waits for, the parent's code does not wait for."""
    return asyncio.create_task(work, context=Context())
