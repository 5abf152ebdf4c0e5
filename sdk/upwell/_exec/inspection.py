"""One look at one run: what is overdue in it, and what puts it right."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from upwell._core.bounds import due_at
from upwell._core.children import Children, child_spec, unclaimed
from upwell._core.commands import Reply
from upwell._core.journal import Journal, Missed
from upwell._core.model import ROOT_ID, ActionKey, ActionRecord, ActionSpec, RunRecord, Status
from upwell._core.ports import PoolNotFoundError
from upwell._core.sweep import (
    Look,
    Remedy,
    Verdict,
    is_unclaimed,
    judge,
    judge_child,
    must_wake,
    next_look,
)
from upwell._core.wire import Message
from upwell._exec.effects import abort, reply, wake
from upwell._exec.endings import time_out
from upwell._exec.kernel import Kernel
from upwell._exec.replay import read_journal

log = logging.getLogger("upwell.sweep")

T = TypeVar("T")
AT_ONCE = 50
"""Actions of a run that are treated at the same time."""


class Inspection:
    """Looks into a run.

    Args:
        kernel: The surroundings.
        run: As it was read.
        look: When.
    """

    def __init__(self, kernel: Kernel, run: RunRecord, look: Look) -> None:
        self._kernel = kernel
        self._run = run
        self._look = look
        self._backlogs: dict[str, bool] = {}
        self._open: set[str] = set()
        self._parents_of_open: set[str] = set()
        self._next_at = look.soonest(due_at(unclaimed(run.root)))
        self.remedies: Counter[Remedy] = Counter()

    @property
    def _is_over(self) -> bool:
        """Whether the run has ended, and who should have ended what was open had the time."""
        run, look = self._run, self._look
        return run.status.is_terminal and look.now >= (run.ended_at or look.now) + look.patience_s

    async def inspect(self) -> None:
        """Put right what is overdue."""
        if self._run.status.is_terminal and not self._is_over:
            return
        parents: list[ActionRecord] = []
        batch: list[ActionRecord] = []
        async for record in self._kernel.ports.store.list_open(self._run.spec.run_id):
            self._open.add(record.spec.action_id)
            if record.spec.parent_id is not None:
                self._parents_of_open.add(record.spec.parent_id)
            batch.append(record)
            if len(batch) == AT_ONCE:
                parents += await self._treat_all(batch)
                batch = []
        parents += await self._treat_all(batch)
        if self._run.status.is_terminal:
            return
        await _for_all(parents, self._look_after_children)
        await self._abort_orphans()
        if ROOT_ID not in self._open:
            await self._treat_root()

    async def next_look(self) -> float | None:
        """Return when to look at the run again; None when there is nothing to look for any more."""
        run, look = self._run, self._look
        if run.status.is_terminal:
            if self._is_over:
                return look.now + look.patience_s if self._open else None
            return (run.ended_at or look.now) + look.patience_s
        counts = (await self._kernel.ports.store.view(run.spec.run_id)).counts.values()
        return next_look(
            look,
            actions=sum(sum(by_status.values()) for by_status in counts),
            found_anything=bool(self.remedies),
            next_at=self._next_at,
        )

    async def _treat_all(self, records: list[ActionRecord]) -> list[ActionRecord]:
        """Treat actions; return those that may be parents with children to look after."""
        treated = await asyncio.gather(*(self._treat(record) for record in records))
        return [record for record, is_well in zip(records, treated, strict=True) if is_well]

    async def _treat(self, record: ActionRecord) -> bool:
        run, look, is_over = self._run, self._look, self._is_over
        waiting = record.status in {Status.RUNNING, Status.QUEUED} and await self._waiting(
            record.spec.task.pool
        )
        verdict = judge(record, run=run.spec, is_over=is_over, waiting=waiting, look=look)
        self._note(verdict, record.spec)
        match verdict.remedy:
            case Remedy.SEND:
                token = record.task_token or (record.suspension and record.suspension.task_token)
                await self._send(record.spec, token or None)
            case Remedy.TIME_OUT:
                await time_out(self._kernel, record.spec)
            case Remedy.ABORT:
                why = "its run has ended" if is_over else "its run was recovered without it"
                await abort(self._kernel, record.spec, why)
            case None:
                since = record.attempts[-1].started_at if record.attempts else look.now
                return record.status in {Status.RUNNING, Status.SUSPENDED} and (
                    look.now - since >= look.patience_s
                )
        return False

    async def _send(self, spec: ActionSpec, task_token: str | None) -> None:
        await self._kernel.ports.queue.send(spec.task.pool, [Message(action=spec, task_token=task_token)])

    def _note(self, verdict: Verdict, spec: ActionSpec) -> None:
        if verdict.remedy is None:
            self._next_at = min(self._next_at, verdict.next_at)
            return
        self.remedies[verdict.remedy] += 1
        fields = {"run_id": spec.run.run_id, "action_id": spec.action_id, "task": spec.task.name}
        log.warning("put right", extra={**fields, "remedy": verdict.remedy.value})

    async def _waiting(self, pool: str) -> bool:
        """Whether messages wait in a pool's queue; a pool that is gone has nobody who would receive one."""
        if pool not in self._backlogs:
            try:
                self._backlogs[pool] = await self._kernel.ports.queue.waiting(pool) > 0
            except PoolNotFoundError:
                self._backlogs[pool] = True
        return self._backlogs[pool]

    async def _abort_orphans(self) -> None:
        """Abort what is open below parents that have ended: who ended them died before it came to that."""
        run_id, store = self._run.spec.run_id, self._kernel.ports.store
        keys = [ActionKey(run_id, parent) for parent in self._parents_of_open - self._open]
        ended = {
            key.action_id
            for key, record in (await store.get_many(keys)).items()
            if record.ended_at is not None and self._look.now - record.ended_at >= self._look.patience_s
        }
        if not ended:
            return
        orphans = [r async for r in store.list_open(run_id) if r.spec.parent_id in ended]
        await _for_all(orphans, self._abort_orphan)

    async def _abort_orphan(self, record: ActionRecord) -> None:
        self._note(Verdict(Remedy.ABORT), record.spec)
        await abort(self._kernel, record.spec, "its parent has ended")

    # --- the root ---------------------------------------------------------------------------------------------

    async def _treat_root(self) -> None:
        """See to a root that has no open record: never claimed, or ended without the run's hearing of it."""
        run, look, ports = self._run, self._look, self._kernel.ports
        record = await ports.store.get(ActionKey(run.spec.run_id, ROOT_ID))
        if record is not None and not record.status.is_terminal:
            return  # claimed a moment ago
        if record is None or is_unclaimed(record, run.spec.generation):
            await self._send_root()
            return
        assert record.outcome is not None  # it has ended
        ended_at = record.ended_at or look.now
        if not look.repeats(ended_at):
            self._next_at = min(self._next_at, look.soonest(ended_at + look.patience_s))
        elif look.before < ended_at + look.patience_s:
            self._note(Verdict(Remedy.TELL), record.spec)
            await reply(self._kernel, record.spec, Reply(record.outcome), record.task_token)
        else:  # it was told, and does not hear
            self._note(Verdict(Remedy.SETTLE), record.spec)
            await ports.orchestrator.settle(run, record.outcome)

    async def _send_root(self) -> None:
        run, look = self._run, self._look
        waiting = await self._waiting(run.root.task.pool)
        queued = replace(unclaimed(run.root), status=Status.QUEUED, created_at=run.root.queued_at)
        verdict = judge(queued, run=run.spec, is_over=False, waiting=waiting, look=look)
        self._note(verdict, run.root)
        if verdict.remedy is Remedy.SEND:
            await self._send(run.root, None)  # its end is found by a later look
        elif verdict.remedy is Remedy.TIME_OUT:
            await time_out(self._kernel, run.root)

    # --- children ---------------------------------------------------------------------------------------------

    async def _look_after_children(self, parent: ActionRecord) -> None:
        ports, look = self._kernel.ports, self._look
        entries = await read_journal(ports.store, parent.key, Journal(parent.generation))
        children = Children(parent.generation).apply(entries)
        keys = [ActionKey(parent.key.run_id, child_id) for child_id in children.open]
        records = await ports.store.get_many(keys)
        ended = {k.action_id for k, record in records.items() if record.status.is_terminal}
        still_open = len(children.open) - len(ended)
        missed: list[str] = []
        for child_id, child in children.open.items():
            record = records.get(ActionKey(parent.key.run_id, child_id))
            spec = child_spec(parent.spec, child.sent, child.shard)
            unclaimed_yet = is_unclaimed(record, parent.generation)
            waiting = unclaimed_yet and await self._waiting(child.sent.pool)
            verdict = judge_child(child, record, generation=parent.generation, waiting=waiting, look=look)
            if verdict.remedy is Remedy.TELL and not _misses(parent, record, still_open):
                continue
            self._note(verdict, spec)
            if verdict.remedy is Remedy.TIME_OUT:
                await time_out(self._kernel, spec)
            elif verdict.remedy is Remedy.TELL:
                assert record is not None  # it has ended
                assert record.outcome is not None
                await reply(self._kernel, record.spec, Reply(record.outcome, wakes=True), None, again=True)
            elif verdict.remedy is Remedy.MISS:
                missed.append(child_id)
        await self._report_missed(parent, children, missed)
        if parent.status is Status.SUSPENDED and (missed or must_wake(parent, children, still_open, look)):
            self._note(Verdict(Remedy.WAKE), parent.spec)
            await wake(self._kernel, parent.key)

    async def _report_missed(self, parent: ActionRecord, children: Children, missed: list[str]) -> None:
        """Write into a parent's journal which children it must send again: it alone knows their inputs."""
        by_shard: dict[int, list[str]] = {}
        for child_id in missed:
            by_shard.setdefault(children.open[child_id].shard, []).append(child_id)
        for shard, ids in by_shard.items():
            entry = Missed(
                at=self._kernel.ports.clock.now(),
                generation=parent.generation,
                action_ids=tuple(ids),
                sent_until=max(children.open[child_id].last_at for child_id in ids),
            )
            await self._kernel.ports.store.append(parent.key, shard, [entry])


def _misses(parent: ActionRecord, record: ActionRecord | None, still_open: int) -> bool:
    """Whether a parent that sleeps waits for a child that has ended.

    One that is awake finds out by itself. A call that the parent's own code cancelled, it does not wait for.
    """
    if parent.status is not Status.SUSPENDED or parent.suspension is None or record is None:
        return False
    return record.status is not Status.ABORTED or still_open < parent.suspension.open_children


async def _for_all(items: Sequence[T], do: Callable[[T], Awaitable[object]]) -> None:
    """Do something for each of many items, some at the same time."""
    for first in range(0, len(items), AT_ONCE):
        await asyncio.gather(*(do(item) for item in items[first : first + AT_ONCE]))
