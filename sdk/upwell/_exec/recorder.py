"""Writes traces to the journal: in groups, behind the task, and before anything that may depend on them."""

from __future__ import annotations

import asyncio
import math

from upwell._core.journal import Entry, Journal, Traced, Traces
from upwell._core.limits import RECORD_INLINE_BYTES, TRACE_GROUP_BYTES, TRACE_GROUP_ITEMS
from upwell._core.model import ActionRecord, Outcome, Status
from upwell._core.wire import dump_entry
from upwell._exec.batcher import Batcher
from upwell._exec.boundary import TraceRecord
from upwell._exec.kernel import Kernel
from upwell._exec.payloads import pack
from upwell.errors import UnavailableError

BURST_S = 0.05
"""A trace is written behind the task if another ended so short a time before it: in a burst. Any other one is
durable when its call returns."""
AT_RISK_S = 0.05
"""So much work of traces may be unwritten while the task goes on; a trace that took longer waits for its write.
A write takes 5 to 20 ms, so that waiting for it costs such a trace little."""


class Recorder:
    """Records the traces of one attempt.

    Traces that end while a write is under way share the next one, and an item of the journal. In a burst the
    task has its results before the write is acknowledged, unless much would be lost: 100 traces, or 50 ms of
    their work. A trace that comes alone is written before its call returns: nobody knows what the task does
    next. What may depend on a trace and leaves the attempt, a child or the attempt's end, waits for `written`.

    Args:
        kernel: The surroundings.
        record: The action as claimed.
        journal: Knows the shards.
    """

    def __init__(self, kernel: Kernel, record: ActionRecord, journal: Journal) -> None:
        self._kernel = kernel
        self._key = record.key
        self._failures = record.failures
        self._run_id = record.spec.run.run_id
        self._journal = journal
        self._groups: Batcher[tuple[Traced, int], None] | None = None
        self._last: asyncio.Future[None] | None = None
        self._unwritten = 0
        self._at_risk_s = 0.0
        self._latest_at = -math.inf
        self._failure: Exception | None = None

    async def record(self, trace: TraceRecord, result: bytes) -> None:
        """Take a trace, and write it soon.

        Raises:
            Exception: this trace, or one before it, could not be written.
        """
        entry = await self._entry(trace, result)
        if self._failure is not None:
            raise self._failure
        if self._groups is None:
            self._groups = Batcher(
                self._flush,
                max_items=TRACE_GROUP_ITEMS,
                max_bytes=TRACE_GROUP_BYTES,
                size_of=lambda sized: sized[1],
            )
        work_s = max(0.0, entry.at - entry.started_at)
        is_alone = entry.at - self._latest_at >= BURST_S
        self._latest_at = entry.at
        self._unwritten += 1
        self._at_risk_s += work_s
        self._last = self._groups.put((entry, len(dump_entry(entry))))
        self._last.add_done_callback(lambda written: self._settled(written, work_s))
        if is_alone or self._unwritten >= TRACE_GROUP_ITEMS or self._at_risk_s >= AT_RISK_S:
            await self.written()
            self._latest_at = self._kernel.ports.clock.now()

    async def written(self) -> None:
        """Return when all traces taken so far are durable.

        Raises:
            Exception: one of them could not be written.
        """
        last = self._last
        if last is not None and not last.done():
            await asyncio.wait({last})  # they are written in order; not awaited itself, which would cancel it
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        """Write what was taken; nothing may be recorded after that.

        Raises:
            Exception: something could not be written.
        """
        if self._groups is not None:
            await self._groups.aclose()
        await self.written()

    async def _entry(self, trace: TraceRecord, result: bytes) -> Traced:
        if trace.error is not None:
            outcome = Outcome(status=Status.FAILED, error=trace.error)
        else:
            payload = await pack(
                self._kernel.ports.blobs, self._run_id, result, inline_bytes=RECORD_INLINE_BYTES
            )
            outcome = Outcome(status=Status.SUCCEEDED, output=payload)
        return Traced(
            at=self._kernel.ports.clock.now(),
            trace_id=trace.trace_id,
            name=trace.name,
            started_at=trace.started_at,
            outcome=outcome,
            generation=self._journal.generation,
            failures=self._failures,
            nested=trace.nested,
        )

    def _settled(self, written: asyncio.Future[None], work_s: float) -> None:
        self._unwritten -= 1
        self._at_risk_s -= work_s
        if not self._unwritten:
            self._at_risk_s = 0.0  # and not what rounding has left
        if written.cancelled():  # the event loop is being torn down
            self._failure = self._failure or UnavailableError("a trace was not written: the engine stops")
        else:
            written.exception()  # `_flush` has noted it

    async def _flush(self, group: list[tuple[Traced, int]]) -> list[None]:
        if self._failure is not None:  # what came after a trace that is lost must not be kept without it
            raise self._failure
        traces = tuple(entry for entry, _ in group)
        now = self._kernel.ports.clock.now()
        entry: Entry = traces[0] if len(traces) == 1 else Traces(at=now, traces=traces)
        try:
            await self._kernel.ports.store.append(self._key, self._journal.next_shard(), [entry])
        except Exception as e:
            self._failure = e
            raise
        return [None] * len(group)
