"""Looks at runs and puts right what is overdue in them. A backstop: others had to fail twice before."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field, replace

from upwell._core.bounds import due_at
from upwell._core.children import Children, child_spec, unclaimed
from upwell._core.commands import Reply
from upwell._core.journal import Journal, Missed
from upwell._core.model import ROOT_ID, ActionKey, ActionRecord, ActionSpec, RunRecord, Status
from upwell._core.ports import PoolNotFoundError
from upwell._core.sweep import (
    NEVER,
    Look,
    Remedy,
    Verdict,
    is_only_awaited,
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

RUNS_AT_ONCE = 8
RUNS_PER_PAGE = 100
ACTIONS_AT_ONCE = 50


@dataclass(slots=True)
class _Findings:
    """Of one look at one run."""

    run: RunRecord
    look: Look
    backlogs: dict[str, bool] = field(default_factory=dict)
    """Pools asked so far: whether messages wait there."""
    remedies: Counter[Remedy] = field(default_factory=Counter)
    actions: int = 0
    next_at: float = NEVER


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
            run = await store.get_run(run_id)
            due = clock.now() + settings.sweep_s if run is None or run.look_at is None else run.look_at
            if due <= clock.now():
                await self._try_to_look(run_id)
            await clock.sleep(min(max(due - clock.now(), settings.heartbeat_s), settings.sweep_s))

    async def _try_to_look(self, run_id: str) -> Counter[Remedy]:
        try:
            return await self.look(run_id)
        except Exception:  # it stays due; one run must not keep others back
            log.exception("a run could not be looked at", extra={"run_id": run_id})
            return Counter()

    async def look(self, run_id: str) -> Counter[Remedy]:
        """Look at one run, put right what is overdue, and plan the next look."""
        ports, patience_s = self._kernel.ports, self._kernel.settings.sweep_s
        run = await ports.store.get_run(run_id)
        if run is None or run.look_at is None:
            return Counter()
        now, begun_at = ports.clock.now(), run.root.queued_at
        look = Look(now=now, before=max(run.looked_at, begun_at), patience_s=patience_s)
        found = _Findings(run, look)
        try:
            if now - begun_at >= patience_s or (_due(run) or NEVER) < now:
                await self._look_into(found)
        except Exception:
            await ports.store.plan_look(run, now + patience_s, looked_at=look.before)
            raise
        await ports.store.plan_look(run, await self._next_look(found), looked_at=now)
        return found.remedies

    async def _next_look(self, found: _Findings) -> float | None:
        run, look = found.run, found.look
        if run.status.is_terminal:
            patient_until = (run.ended_at or look.now) + look.patience_s
            if look.now >= patient_until:
                return None if not found.actions else look.now + look.patience_s
            return patient_until
        counts = (await self._kernel.ports.store.view(run.spec.run_id)).counts.values()
        return next_look(
            look,
            actions=sum(sum(by_status.values()) for by_status in counts),
            found_anything=bool(found.remedies),
            next_at=min(found.next_at, look.soonest(_due(run))),
        )

    async def _look_into(self, found: _Findings) -> None:
        root: ActionRecord | None = None
        parents: list[ActionRecord] = []
        batch: list[ActionRecord] = []
        async for record in self._kernel.ports.store.list_open(found.run.spec.run_id):
            found.actions += 1
            root = record if record.spec.action_id == ROOT_ID else root
            batch.append(record)
            if len(batch) == ACTIONS_AT_ONCE:
                parents += await self._treat_all(found, batch)
                batch = []
        parents += await self._treat_all(found, batch)
        if not found.run.status.is_terminal:
            for parent in parents:
                await self._look_after_children(found, parent)
            if root is None:
                await self._treat_root(found)

    async def _treat_all(self, found: _Findings, records: list[ActionRecord]) -> list[ActionRecord]:
        """Treat actions; return those that may be parents with children to look after."""
        treated = await asyncio.gather(*(self._treat(found, record) for record in records))
        return [record for record, is_well in zip(records, treated, strict=True) if is_well]

    async def _treat(self, found: _Findings, record: ActionRecord) -> bool:
        run, look = found.run, found.look
        is_over = run.status.is_terminal and look.now >= (run.ended_at or look.now) + look.patience_s
        waiting = record.status in {Status.RUNNING, Status.QUEUED} and await self._waiting(
            found, record.spec.task.pool
        )
        verdict = judge(record, run=run.spec, is_over=is_over, waiting=waiting, look=look)
        self._note(found, verdict, record.spec)
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

    def _note(self, found: _Findings, verdict: Verdict, spec: ActionSpec) -> None:
        if verdict.remedy is None:
            found.next_at = min(found.next_at, verdict.next_at)
            return
        found.remedies[verdict.remedy] += 1
        fields = {"run_id": spec.run.run_id, "action_id": spec.action_id, "task": spec.task.name}
        log.warning("put right", extra={**fields, "remedy": verdict.remedy.value})

    async def _waiting(self, found: _Findings, pool: str) -> bool:
        """Whether messages wait in a pool's queue; a pool that is gone has nobody who would receive one."""
        if pool not in found.backlogs:
            try:
                found.backlogs[pool] = await self._kernel.ports.queue.waiting(pool) > 0
            except PoolNotFoundError:
                found.backlogs[pool] = True
        return found.backlogs[pool]

    # --- the root ---------------------------------------------------------------------------------------------

    async def _treat_root(self, found: _Findings) -> None:
        """See to a root that has no open record: never claimed, or ended without the run's hearing of it."""
        run, look, ports = found.run, found.look, self._kernel.ports
        record = await ports.store.get(ActionKey(run.spec.run_id, ROOT_ID))
        if record is not None and not record.status.is_terminal:
            return  # claimed a moment ago
        if record is None or record.generation < run.spec.generation:
            await self._send_root(found)
            return
        assert record.outcome is not None  # it has ended
        ended_at = record.ended_at or look.now
        if not look.repeats(ended_at):
            found.next_at = min(found.next_at, look.soonest(ended_at + look.patience_s))
        elif look.before < ended_at + look.patience_s:
            self._note(found, Verdict(Remedy.TELL), record.spec)
            await reply(self._kernel, record.spec, Reply(record.outcome), record.task_token)
        else:  # it was told, and does not hear
            self._note(found, Verdict(Remedy.SETTLE), record.spec)
            await ports.orchestrator.settle(run, record.outcome)

    async def _send_root(self, found: _Findings) -> None:
        run, look = found.run, found.look
        waiting = await self._waiting(found, run.root.task.pool)
        queued = replace(unclaimed(run.root), status=Status.QUEUED, created_at=run.root.queued_at)
        verdict = judge(queued, run=run.spec, is_over=False, waiting=waiting, look=look)
        self._note(found, verdict, run.root)
        if verdict.remedy is Remedy.SEND:
            await self._send(run.root, None)  # its end is found by a later look
        elif verdict.remedy is Remedy.TIME_OUT:
            await time_out(self._kernel, run.root)

    # --- children ---------------------------------------------------------------------------------------------

    async def _look_after_children(self, found: _Findings, parent: ActionRecord) -> None:
        ports, look = self._kernel.ports, found.look
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
            waiting = (record is None or is_only_awaited(record)) and await self._waiting(
                found, child.sent.pool
            )
            verdict = judge_child(child, record, waiting=waiting, look=look)
            if verdict.remedy is Remedy.TELL and not _misses(parent, record, still_open):
                continue
            self._note(found, verdict, spec)
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
            self._note(found, Verdict(Remedy.WAKE), parent.spec)
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


def _due(run: RunRecord) -> float | None:
    return due_at(unclaimed(run.root))


def _misses(parent: ActionRecord, record: ActionRecord | None, still_open: int) -> bool:
    """Whether a parent that sleeps waits for a child that has ended.

    One that is awake finds out by itself. A call that the parent's own code cancelled, it does not wait for.
    """
    if parent.status is not Status.SUSPENDED or parent.suspension is None or record is None:
        return False
    return record.status is not Status.ABORTED or still_open < parent.suspension.open_children
