"""Tells the scaler that a pool was sent work, so that a pool without workers has some in seconds."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from upwell._aws.clients import Clients
from upwell._core.keys import DEFAULT_POOL, EVENTS, WORK_SENT
from upwell._core.settings import Settings

log = logging.getLogger("upwell.queue")

QUIET_S = 10.0
"""Between two announcements of a process for one pool, unless more is sent than was told."""
MORE = 2
"""So many times as much is news."""


@dataclass(slots=True)
class _Told:
    at: float
    messages: int


class Announcer:
    """Puts an event on the bus when something is sent to a pool that may have no workers.

    It is a hint: the scaler looks by itself every minute. So a failure is logged, and no more.

    Args:
        clients: Makes the requests.
        settings: Names the platform.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._prefix = settings.prefix
        self._told: dict[str, _Told] = {}

    async def sent(self, pool: str, messages: int) -> None:
        """Tell of messages that are being sent to a pool, unless as much was told just now.

        The default pool is a Lambda function, which nobody scales: nothing is told of it.
        """
        if pool == DEFAULT_POOL or not messages:
            return
        now, told = asyncio.get_running_loop().time(), self._told.get(pool)
        if told is not None and now - told.at < QUIET_S and messages < MORE * told.messages:
            return
        self._told[pool] = _Told(now, messages)
        detail = {"prefix": self._prefix, "pool": pool, "messages": messages}
        entry = {"Source": EVENTS, "DetailType": WORK_SENT, "Detail": json.dumps(detail)}
        try:
            await self._clients.call(lambda: self._clients.events.put_events(Entries=[entry]))
        except (BotoCoreError, ClientError) as e:
            log.info("the scaler was not told of work", extra={"pool": pool, "error": str(e)})
