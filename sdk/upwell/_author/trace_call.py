"""One call of a traced function: its id, what is recorded of it, and what it records."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from upwell._author.blocking import is_on_a_loop, settle
from upwell._author.context import ActionID, Engine, ctx, current
from upwell._core.ids import digest
from upwell._core.model import ErrorInfo, Outcome, Payload
from upwell.errors import NonRecoverableError

if TYPE_CHECKING:
    from upwell._author.trace import Traced


@dataclass(frozen=True, slots=True)
class TraceCall:
    """A call in progress.

    Attributes:
        engine: The engine of the attempt.
        trace_id: Its id: the same when a later attempt comes to this call.
        name: Name of the function.
        started_at: When it began, epoch seconds.
    """

    engine: Engine
    trace_id: str
    name: str
    started_at: float

    @classmethod
    def begin(cls, traced: Traced, engine: Engine, encoded: bytes) -> TraceCall:
        """Return the next call of a function with these arguments.

        Calls inside another trace are counted for that trace: when it is given back, they do not happen, and
        the numbers of the calls after it must not change.
        """
        around = ctx()
        outer = around.action.name if around.in_trace and around.action else ""
        call = digest(traced.body, traced.interface.input_digest(encoded), outer)
        return cls(engine, engine.next_trace_id(traced.name, call), traced.name, engine.now())

    def recorded(self) -> Payload | None:
        """Return the result that an earlier attempt recorded, or None if the function has to run.

        Raises:
            NonRecoverableError: it recorded one.
        """
        outcome: Outcome | None = self.engine.find_trace(self.trace_id)
        if outcome is None:
            return None
        if outcome.error is not None and not outcome.error.recoverable:
            raise _revive(outcome.error)
        return outcome.output

    @contextmanager
    def inside(self) -> Iterator[None]:
        """While the function's own code runs: `ctx().action` is this trace, and tasks cannot be called."""
        around = ctx()
        action = ActionID(self.trace_id, around.action.run_name if around.action else "")
        token = current.set(replace(around, action=action, in_trace=True))
        try:
            yield
        finally:
            current.reset(token)

    async def record(self, result: bytes | BaseException) -> None:
        """Write how it ended; returns when that is durable."""
        await self.engine.record_trace(self.trace_id, self.name, self.started_at, result)

    def record_blocking(self, result: bytes | BaseException) -> None:
        """Write how it ended, from a sync function.

        In a sync task this returns when it is durable. On an event loop nothing may wait: the engine writes it
        before the attempt ends.
        """
        settle(self.engine, self.record(result))

    def load_blocking(self, payload: Payload) -> bytes:
        """Return the bytes of a payload, from a sync function."""
        if not is_on_a_loop():
            return self.engine.block_on(_load(self.engine, payload))
        # On the loop's own thread only another loop can fetch it.
        with ThreadPoolExecutor(1, thread_name_prefix="upwell-load") as thread:
            return thread.submit(asyncio.run, _load(self.engine, payload)).result()


async def _load(engine: Engine, payload: Payload) -> bytes:
    return await engine.load(payload)


def _revive(info: ErrorInfo) -> NonRecoverableError:
    error = NonRecoverableError(info.message, info.worker)
    error.code = info.code
    error.remote_traceback = info.traceback or None
    return error
