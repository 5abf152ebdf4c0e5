"""A thread for heartbeats: a task that blocks the event loop must not cost the leases of all that run there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from functools import cached_property
from typing import Any

from upwell._core.ports import Ports


class Pulse:
    """Runs coroutines on an event loop of its own.

    Args:
        ports: For those coroutines alone; adapters belong to one loop at a time.
    """

    def __init__(self, ports: Ports) -> None:
        self.ports = ports

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        """Start a coroutine, and return a future of the caller's loop that ends with it and can cancel it."""
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, name="upwell-pulse", daemon=True).start()
        return loop
