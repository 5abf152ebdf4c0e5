"""An event loop whose time passes only while nothing happens, and then at once."""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from collections.abc import Callable
from typing import Any

EPOCH_S = 1_800_000_000.0
"""The instant at which every run begins."""
THREAD_PREFIX = "faults-"
"""Threads of tasks are named after the task: what a thread does now cannot be seen, so it is given a moment."""
GRACE_S = 0.001


class RealTimeError(RuntimeError):
    """The run took too long in real time."""


class _Selector(selectors.DefaultSelector):
    """Where the loop would wait, sees whether threads are at work, and else lets time pass."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        while True:
            self._loop.check_real_time()
            ready = super().select(self._loop.patience_s)
            if ready:
                return ready
            if timeout is not None and not self._loop.calls:
                self._loop.passed_s += timeout
                return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Skips to the next timer whenever there is nothing to do.

    Computing takes no time here. A call in a thread takes none either: the loop waits for it.

    Args:
        cpu_s: Seconds of computing after which the loop gives up; ten times that in real time.
    """

    def __init__(self, cpu_s: float = 30.0) -> None:
        self.passed_s = 0.0
        self.calls = 0
        """Calls in threads that have not returned."""
        self._cpu_until = time.process_time() + cpu_s
        self._real_until = time.monotonic() + 10 * cpu_s
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Return the seconds that passed in this loop."""
        return self.passed_s

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # generic in typeshed
        """Call a function in a thread; time stands still meanwhile."""
        self.calls += 1
        call = super().run_in_executor(executor, func, *args)
        call.add_done_callback(self._returned)
        return call

    def _returned(self, _: asyncio.Future[Any]) -> None:
        self.calls -= 1

    @property
    def patience_s(self) -> float:
        """How long to wait for threads before time passes."""
        if self.calls:
            return 0.1
        return GRACE_S if any(t.name.startswith(THREAD_PREFIX) for t in threading.enumerate()) else 0.0

    def check_real_time(self) -> None:
        """Give up on a run that goes on and on.

        Raises:
            RealTimeError: it does.
        """
        if time.process_time() > self._cpu_until or time.monotonic() > self._real_until:
            raise RealTimeError("the run goes on and on in real time")


class LoopClock:
    """The `Clock` of a virtual-time loop; any thread may read it.

    Args:
        loop: Whose time it is.
    """

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._loop = loop

    def now(self) -> float:
        """Return the time, epoch seconds."""
        return EPOCH_S + self._loop.passed_s

    async def sleep(self, delay_s: float) -> None:
        """Return after so many seconds of the loop."""
        await asyncio.sleep(delay_s)
