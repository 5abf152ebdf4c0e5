"""One attempt of an action, from its claim to its reply."""

from __future__ import annotations

import asyncio
import logging
import shutil
from dataclasses import replace
from typing import Protocol

from upwell._core.commands import Extend, Finish, LookAgain, Lose, Release, Stop, Suspend
from upwell._core.model import ActionRecord, ErrorInfo, Lease, Outcome, Status
from upwell._core.phases import Phases
from upwell._core.ports import Delivery
from upwell._exec.boundary import AttemptLostError
from upwell._exec.driver import Driver
from upwell._exec.effects import acknowledged, carry_out
from upwell._exec.invoke import invoke
from upwell._exec.kernel import Kernel
from upwell._exec.linger import Leave, linger, out_of_time
from upwell._exec.orphans import LOOK_BEATS, end_orphan
from upwell._exec.places import Places
from upwell._exec.sleep import fall_asleep
from upwell._exec.timed_slot import TimedSlot
from upwell._exec.transition import transition

log = logging.getLogger("upwell.executor")

SETTLED_S = 0.2
"""A task that has waited for nothing but children for so long does not wait for what it is just being told."""
FIRST_BEAT_S = 1.0
"""On Lambda a received message stays hidden for the function's timeout: soon make that a lease, so that the
message of an execution environment that dies comes back in seconds, not in minutes."""
ASK_S = 2.0
"""How long an executor that drains waits to hear what a task waits for; one that does not say is given back."""
INTERRUPTED = "suspended in the middle of work of its own, which begins anew: its process ended"
DRAINED = "its executor drained"
HELD_MARGIN_S = 1.0
"""So long before its message would be shown again, an attempt takes it to be somebody else's."""


class Host(Protocol):
    """What an attempt needs of its executor."""

    @property
    def kernel(self) -> Kernel:
        """The surroundings."""

    @property
    def lease_s(self) -> float:
        """How long a claim holds without an extension."""

    @property
    def draining(self) -> bool:
        """Whether attempts that are cancelled give their action back."""


async def _stopped(helper: asyncio.Future[None] | None) -> None:
    if helper is not None:
        helper.cancel()
        await asyncio.gather(helper, return_exceptions=True)


class Attempt:
    """One attempt, from its claim to its reply."""

    def __init__(
        self,
        host: Host,
        delivery: Delivery,
        record: ActionRecord,
        lease: Lease,
        slot: TimedSlot,
        leave_at: float | None,
        places: Places,
        phases: Phases,
    ) -> None:
        self._host = host
        self._kernel = host.kernel
        self._delivery = delivery
        self._record = record
        self._lease = lease
        self._slot = slot
        self._driver = Driver(self._kernel, record, slot)
        self._before = phases
        self._work: asyncio.Task[Outcome] | None = None
        self._stop = self._cancel
        self._leave_at = leave_at
        self._hidden_until = lease.expires_at  # received at about the time from which the lease counts
        self._places = places
        self._displaced = False
        self._beats = 0
        self._suspend: Suspend | None = None
        self._verdict: Outcome | None = None

    async def run(self) -> bool:
        """Run the task, record how it ended, reply."""
        key = self._record.key
        self._work = asyncio.create_task(invoke(self._kernel, self._record, self._driver))
        self._kernel.hub.started(key, self._stop)
        heartbeat_s = self._kernel.settings.heartbeat_s
        first_s = FIRST_BEAT_S if self._kernel.suspends else heartbeat_s
        alive = self._kernel.heart.start(self._keep_alive, first_s=first_s, pause_s=heartbeat_s)
        lingering = asyncio.create_task(self._leave_in_time()) if self._kernel.suspends else None
        try:
            await self._settled(self._work)
        finally:
            self._kernel.hub.ended(key, self._stop)
            await _stopped(lingering)
            try:
                await self._driver.close()
                await self._tidy()
            finally:  # until here: to abort many children may take longer than a lease
                await alive.stop()
        if self._work.cancelled():
            return await self._left()
        try:
            return await self._finish(self._work.result())
        except AttemptLostError as e:
            log.warning("an attempt was lost with its process", extra=self._fields() | {"cause": str(e)})
            most = self._kernel.settings.max_system_losses
            return await self._commit(Lose(lease_id=self._lease.id, error=e.error, max_losses=most))

    async def _finish(self, outcome: Outcome) -> bool:
        finish = Finish(
            lease_id=self._lease.id,
            outcome=outcome,
            warnings=self._driver.checks.warnings,
            phases=self._phases(),
            noticed=self._driver.noticing.kept(),
            hits=dict(self._driver.journal.hits),
        )
        return await self._commit(finish)

    def _phases(self) -> tuple[int, ...]:
        phases = Phases._make(map(sum, zip(self._before, self._driver.laps.so_far(), strict=True)))
        return self._slot.waits(phases).after(phases.packed())

    async def _tidy(self) -> None:
        """Delete what was downloaded, or a warm executor would fill its disk; on a laptop it may be of use."""
        if self._kernel.mode != "local":
            await asyncio.to_thread(shutil.rmtree, self._kernel.scratch_of(self._record), ignore_errors=True)

    async def _settled(self, work: asyncio.Task[Outcome]) -> None:
        """Wait for the task's function. When this executor stops, so does it, but its children go on."""
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            if self._host.draining and await self._waits():
                self._prepare_to_sleep(DRAINED)
            self._driver.leave()
            work.cancel()
            await asyncio.wait({work})

    async def _waits(self) -> bool:
        """Whether the task waits for nothing but its children."""
        try:
            return await asyncio.wait_for(self._driver.idle_s(), ASK_S) > 0
        except Exception:  # the user's process does not answer, or is gone
            return False

    async def _leave_in_time(self) -> None:
        """Stop the task where the process should not wait for it, or cannot: see `_exec.linger`."""
        why = await linger(self._kernel, self._driver, self._record, self._leave_at)
        if why is Leave.OUT_OF_TIME:
            self._verdict = out_of_time(self._record)
        elif why is Leave.WAITING and (error := await self._difference()) is not None:
            self._verdict = Outcome(status=Status.FAILED, error=error)
        else:
            if why is Leave.INTERRUPTED:
                log.warning("suspended in the middle of work of its own", extra=self._fields())
            self._prepare_to_sleep(INTERRUPTED if why is Leave.INTERRUPTED else "")
        self._cancel()

    async def _difference(self) -> ErrorInfo | None:
        """Have the replay judged, if it has certainly come to rest: no answer is on its way to the task."""
        settled_s = min(SETTLED_S, self._kernel.settings.linger_s)
        if await self._driver.idle_s() < settled_s:
            return None
        return self._driver.checks.at_rest(self._kernel.mode)

    def _prepare_to_sleep(self, note: str) -> None:
        self._suspend = Suspend(
            lease_id=self._lease.id,
            open_children=self._driver.open_children,
            waiting_since=self._driver.waiting_since,
            task_token=self._delivery.message.task_token,
            warnings=self._driver.checks.warnings,
            note=note,
            phases=self._phases(),
            noticed=self._driver.noticing.kept(),
            hits=dict(self._driver.journal.hits),
        )
        self._driver.suspend()

    async def _left(self) -> bool:
        """Record why the task was stopped."""
        if self._verdict is not None:
            return await self._finish(self._verdict)
        if self._suspend is not None:
            return await self._suspended(self._suspend)
        return await self._cancelled()

    async def _suspended(self, suspend: Suspend) -> bool:
        """Write that the attempt sleeps, see to its being woken, let go of the message."""
        ports = self._kernel.ports
        await self._places.sleep()
        decision = await transition(ports.store, ports.clock, self._record.key, suspend, known=self._record)
        if any(isinstance(effect, LookAgain) for effect in decision.effects):
            await fall_asleep(self._kernel, self._driver, self._record.key, self._held_until)
        await carry_out(self._kernel, decision, self._delivery, self._record.spec, self._held_until)
        return acknowledged(decision)

    def _cancel(self) -> None:
        if self._work is not None:
            self._work.cancel()

    async def _cancelled(self) -> bool:
        """It was stopped: by an abort, whose record is final; by a draining executor; or its place is lost."""
        if not (self._host.draining or self._displaced):
            return await self._discard_if_ended()
        return await self._commit(Release(lease_id=self._lease.id))

    async def _discard_if_ended(self) -> bool:
        """Delete the message of an action that ended under us; one that somebody else took over is theirs."""
        record = await self._kernel.ports.store.get(self._record.key)
        is_late = self._kernel.ports.clock.now() > self._held_until
        if (
            record is None or record.outcome is None or is_late
        ):  # who has it now may have ended it, and not replied
            return False
        await self._kernel.ports.queue.delete([self._delivery])
        return True

    async def _commit(self, command: Finish | Release | Lose) -> bool:
        ports = self._kernel.ports
        decision = await transition(ports.store, ports.clock, self._record.key, command, known=self._record)
        if any(isinstance(effect, Stop) for effect in decision.effects):
            log.info("an attempt ended after it had lost its lease", extra=self._fields())
        await self._places.leave()  # before the parent hears of it and sends the next one
        spec = decision.record.spec if decision.record is not None else self._record.spec
        await carry_out(self._kernel, decision, self._delivery, spec, self._held_until)
        return acknowledged(decision)

    async def _keep_alive(self) -> bool:
        """Extend the lease, or stop an attempt whose lease is gone; return whether to go on."""
        try:
            if not await self._extend():
                await self._stop_without_lease()
                return False
            if not await self._places.renew():
                self._displace()
                return False
            await self._hide()
            self._beats += 1
            if self._beats % LOOK_BEATS == 0:
                await end_orphan(self._kernel, self._record.spec)
        except Exception:  # the store is out of reach: try again; the lease decides, not this request
            log.warning("could not extend a lease", extra=self._fields(), exc_info=True)
        return True

    @property
    def _held_until(self) -> float:
        """Until when nobody else can have received the message."""
        return self._hidden_until - HELD_MARGIN_S

    async def _hide(self) -> None:
        now = self._kernel.ports.clock.now()
        await self._kernel.ports.queue.hide(self._delivery, self._host.lease_s)
        if now < self._hidden_until:  # once it was visible, somebody else may have it
            self._hidden_until = now + self._host.lease_s

    async def _extend(self) -> bool:
        ports = self._kernel.ports
        expires_at = ports.clock.now() + self._host.lease_s
        lease = replace(self._lease, expires_at=expires_at)
        extend = Extend(lease=lease, hits=dict(self._driver.journal.hits))
        decision = await transition(ports.store, ports.clock, self._record.key, extend, known=self._record)
        if decision.record is None:
            return False
        self._record = decision.record
        return True

    async def _stop_without_lease(self) -> None:
        """The lease is gone: the action has ended, and its children with it, or another attempt needs them."""
        record = await self._kernel.ports.store.get(self._record.key)
        if record is None or record.outcome is None:
            self._driver.leave()
        self._cancel()

    def _displace(self) -> None:
        """Another attempt is in this one's place, which was not renewed in time: go back to the queue."""
        log.warning("an attempt is stopped that has lost its place under a limit", extra=self._fields())
        self._displaced = True
        self._driver.leave()
        self._cancel()

    def _fields(self) -> dict[str, object]:
        spec = self._record.spec
        return {"run_id": spec.run.run_id, "action_id": spec.action_id, "attempt": self._record.attempt}
