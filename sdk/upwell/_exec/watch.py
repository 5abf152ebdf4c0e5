"""Waits for children: handed over in memory where possible, read from the journal otherwise."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextvars import Context

from upwell._core.journal import Completed, Cursor, Entry, Journal
from upwell._core.model import ActionKey, Outcome
from upwell._exec.kernel import Kernel

log = logging.getLogger("upwell.watch")

SHARE_OF_WAIT = 0.05
"""The interval between two looks, as a share of the time waited: a wait costs at most 5 % more than it took."""


class Watch:
    """The outcomes that one parent waits for.

    Args:
        kernel: The surroundings.
        parent: Whose journal is read.
        journal: Takes in what is read.
    """

    def __init__(self, kernel: Kernel, parent: ActionKey, journal: Journal) -> None:
        self._kernel = kernel
        self._parent = parent
        self._journal = journal
        self._waiting: dict[str, asyncio.Future[Outcome]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._hand_over = self._take_one
        self._since = self._heard_at = self._look_at = self._wakes_at = 0.0
        self.cursors: dict[int, Cursor] = {}
        self.recorded_at: dict[str, float] = {}
        """When children ended whose outcomes are on their way to the task."""
        self.send_lost: Callable[[], None] = lambda: None
        """Called after each look at the journal: it may say that messages were lost."""

    def expect(self, child_id: str) -> asyncio.Future[Outcome]:
        """Return a future of a child's outcome, and keep looking for it."""
        waiting: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        known = self._journal.outcomes.get(child_id)
        if known is not None:
            waiting.set_result(known)
            return waiting
        if not self._waiting:
            self._begin()
        self._waiting[child_id] = waiting
        return waiting

    def _begin(self) -> None:
        """A wait begins: look often again, whatever interval an earlier wait had come to."""
        self._kernel.hub.expect(self._parent, self._hand_over)
        self._since = self._heard_at = self._kernel.ports.clock.now()
        self._look_at = self._since + self._kernel.settings.poll_min_s
        if self._reader is not None:
            if not self._reader.done() and self._wakes_at <= self._look_at:
                return  # it sleeps on until then
            self._reader.cancel()
        # In a context of its own: its sleeps are not the task's.
        self._reader = asyncio.create_task(self._read_on(), context=Context())
        self._reader.add_done_callback(self._reader_ended)

    def settled(self, child_id: str) -> None:
        """Nobody waits for this child any more."""
        self._waiting.pop(child_id, None)

    async def look_again(self) -> None:
        """Read the journal once more."""
        await self._read_journal()

    async def close(self) -> None:
        """Stop looking."""
        self._kernel.hub.forget(self._parent, self._hand_over)
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    def _take_one(self, entry: Completed) -> None:
        self._take([entry])

    def _take(self, entries: Sequence[Entry]) -> None:
        recorded_at = {entry.action_id: entry.at for entry in entries if isinstance(entry, Completed)}
        for child_id in self._journal.apply(entries):
            waiting = self._waiting.pop(child_id, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(self._journal.outcomes[child_id])
                if child_id in recorded_at:  # else it was found in the cache
                    self.recorded_at[child_id] = recorded_at[child_id]

    def _reader_ended(self, reader: asyncio.Task[None]) -> None:
        if reader.cancelled() or reader.exception() is None:
            return
        error = reader.exception()
        assert error is not None  # checked above
        for waiting in list(self._waiting.values()):
            if not waiting.done():
                waiting.set_exception(error)

    async def _read_on(self) -> None:
        clock = self._kernel.ports.clock
        while self._waiting:
            self._wakes_at = self._look_at
            await clock.sleep(self._look_at - clock.now())
            if self._wakes_at < self._look_at:
                continue  # another wait has begun
            try:
                await self._look()
            except Exception:  # the store is out of reach: the task waits on, and knows nothing of it
                log.warning("could not read a journal; trying again", exc_info=True)
            self._look_at = clock.now() + self._pause_s()

    def _pause_s(self) -> float:
        settings, waited_s = self._kernel.settings, self._kernel.ports.clock.now() - self._since
        return min(max(waited_s * SHARE_OF_WAIT, settings.poll_min_s), settings.poll_max_s)

    async def _look(self) -> None:
        """Read what is new in the journal; after a long silence, the records of the children too."""
        clock, before = self._kernel.ports.clock, len(self._waiting)
        await self._read_journal()
        self.send_lost()
        if len(self._waiting) < before:
            self._heard_at = clock.now()
        elif clock.now() - self._heard_at >= self._kernel.settings.silence_s:
            await self._read_records()
            self._heard_at = clock.now()

    async def _read_journal(self) -> None:
        for shard in self._journal.shards_of_interest():
            cursor = self.cursors.setdefault(shard, Cursor())
            items = await self._kernel.ports.store.read(self._parent, shard, cursor.after)
            self._take(cursor.take(items))

    async def _read_records(self) -> None:
        """Look at the truth itself: a journal entry may be late, or lost with its writer."""
        keys = [ActionKey(self._parent.run_id, child_id) for child_id in list(self._waiting)]
        records = await self._kernel.ports.store.get_many(keys)
        now = self._kernel.ports.clock.now()
        for record in records.values():
            if record.outcome is not None and record.generation >= self._journal.generation:
                entry = Completed(
                    at=now,
                    generation=record.generation,
                    action_id=record.spec.action_id,
                    outcome=record.outcome,
                )
                self._take_one(entry)
