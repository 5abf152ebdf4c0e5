"""Puts right what is overdue in runs. A backstop: others had to fail twice before it finds anything."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import replace

from upwell._core.bounds import due_at
from upwell._core.children import unclaimed
from upwell._core.sweep import NEVER, PAUSE_MAX_S, Look, Remedy
from upwell._exec.inspection import Inspection
from upwell._exec.kernel import Kernel
from upwell._exec.subject import about

log = logging.getLogger("upwell.sweep")

RUNS_AT_ONCE = 8
RUNS_PER_PAGE = 100


class Sweeper:
    """Puts right what is overdue.

    Args:
        kernel: The surroundings. It runs nothing, so a loader or process of user code is never asked for.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def sweep(self, *, until: float = NEVER) -> Counter[Remedy]:
        """Look at every run that is due.

        Args:
            until: When to stop although runs are left, epoch seconds.

        Returns:
            How often each remedy was needed.
        """
        store, clock = self._kernel.ports.store, self._kernel.ports.clock
        remedies: Counter[Remedy] = Counter()
        begun_at = clock.now()  # what becomes due meanwhile is for the next sweep
        while clock.now() < until:
            due = await store.due_runs(begun_at, RUNS_PER_PAGE)
            for start in range(0, len(due), RUNS_AT_ONCE):
                if clock.now() >= until:
                    return remedies
                some = due[start : start + RUNS_AT_ONCE]
                for found in await asyncio.gather(*(self._try_to_look(run_id) for run_id in some)):
                    remedies += found
            if len(due) < RUNS_PER_PAGE:
                break
        return remedies

    async def watch(self, run_id: str) -> None:
        """Look at one run whenever it is due, until cancelled."""
        store, clock, settings = self._kernel.ports.store, self._kernel.ports.clock, self._kernel.settings
        while True:
            due = clock.now() + settings.sweep_s
            try:
                run = await store.get_run(run_id)
                if run is not None and run.look_at is not None:
                    due = run.look_at
            except Exception:  # the store is out of reach: the next look finds it again
                log.warning("a run could not be read", extra={"run_id": run_id}, exc_info=True)
            if due <= clock.now():
                await self._try_to_look(run_id)
            await clock.sleep(min(max(due - clock.now(), settings.heartbeat_s), settings.sweep_s))

    async def _try_to_look(self, run_id: str) -> Counter[Remedy]:
        try:
            with about(run_id=run_id):
                return await self.look(run_id)
        except Exception:  # it stays due; one run must not keep others back
            log.exception("a run could not be looked at", extra={"run_id": run_id})
            return Counter()

    async def look(self, run_id: str) -> Counter[Remedy]:
        """Look at one run, put right what is overdue, and plan the next look."""
        store, patience_s = self._kernel.ports.store, self._kernel.settings.sweep_s
        run = await store.get_run(run_id)
        if run is None or run.look_at is None:
            return Counter()
        now, begun_at = self._kernel.ports.clock.now(), run.root.queued_at
        look = Look(now=now, before=max(run.looked_at, begun_at), patience_s=patience_s)
        found = Inspection(self._kernel, run, look)
        due = due_at(unclaimed(run.root))
        if now - begun_at >= patience_s or (due is not None and due < now):
            # If this dies over a run, the others are next, and not the same one again.
            retry_at = now + PAUSE_MAX_S
            if not await store.plan_look(run, retry_at, looked_at=run.looked_at):
                return Counter()  # somebody else looks at it
            run = replace(run, look_at=retry_at)
            await found.inspect()
        await store.plan_look(run, await found.next_look(), looked_at=now)
        return found.remedies
