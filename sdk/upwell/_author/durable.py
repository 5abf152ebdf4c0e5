"""Time that a later attempt sees as the first one did, and sleeping by it."""

from __future__ import annotations

import asyncio
import time as clock
from datetime import UTC, datetime

from upwell._author.blocking import is_on_a_loop
from upwell._author.syncify import Twins
from upwell._author.trace import trace
from upwell.errors import SyncTaskCallInAsyncContextError


@trace
def _recorded(purpose: str) -> float:
    return clock.time()


@trace
async def _recorded_aio(purpose: str) -> float:
    return clock.time()


def _time() -> float:
    """Return the time, epoch seconds, as the first attempt that came here saw it."""
    return _recorded("time")


async def _time_aio() -> float:
    return await _recorded_aio("time")


def _now() -> datetime:
    """Return the time as aware UTC, as the first attempt that came here saw it."""
    return datetime.fromtimestamp(_recorded("now"), UTC)


async def _now_aio() -> datetime:
    return datetime.fromtimestamp(await _recorded_aio("now"), UTC)


def _sleep(seconds: float) -> None:
    """Sleep until so many seconds after the first attempt came here: a later one sleeps for the rest.

    Raises:
        SyncTaskCallInAsyncContextError: called from async code, which it would block.
    """
    if is_on_a_loop():
        raise SyncTaskCallInAsyncContextError(
            f"durable.sleep({seconds!r}) would block async code; use `await durable.sleep.aio({seconds!r})`"
        )
    clock.sleep(_left_s(seconds, _recorded(f"sleep {seconds:g}")))


async def _sleep_aio(seconds: float) -> None:
    await asyncio.sleep(_left_s(seconds, await _recorded_aio(f"sleep {seconds:g}")))


def _left_s(seconds: float, began_at: float) -> float:
    return max(0.0, began_at + seconds - clock.time())


time = Twins(_time, _time_aio)
now = Twins(_now, _now_aio)
sleep = Twins(_sleep, _sleep_aio)
