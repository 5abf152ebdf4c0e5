"""Runs delivered actions: claim, run, finish, reply. The same on a laptop, in Lambda and in a worker."""

from __future__ import annotations

import asyncio
import logging
import shutil
from dataclasses import replace

from upwell._core.decide import (
    Acknowledge,
    Claim,
    Decision,
    Extend,
    Finish,
    LookAgain,
    Release,
    Run,
    Stop,
    Suspend,
)
from upwell._core.limits import RECORD_INLINE_BYTES
from upwell._core.model import ActionKey, ActionRecord, ActionSpec, Lease, Outcome
from upwell._core.ports import Delivery, Ports
from upwell._exec.driver import Driver
from upwell._exec.effects import carry_out, wake
from upwell._exec.invoke import invoke
from upwell._exec.kernel import Kernel
from upwell._exec.payloads import pack
from upwell._exec.pulse import Pulse
from upwell._exec.putback import put_back
from upwell._exec.slots import Slot
from upwell._exec.transition import transition

log = logging.getLogger("upwell.executor")

LOOKS_PER_LINGER = 5
LEAVE_EARLY_S = 60.0
"""So long before its process ends, a parent that waits does not linger."""
LAST_MOMENT_S = 10.0
"""So long before its process ends, a parent with open children goes whatever it does."""


class Executor:
    """Handles deliveries.

    Args:
        kernel: The surroundings.
        lease_s: How long a claim holds without an extension.
        pulse: Where leases are extended; None is the event loop of the tasks, where nobody else could take an
            action while it is blocked.
    """

    def __init__(self, kernel: Kernel, *, lease_s: float, pulse: Pulse | None = None) -> None:
        self.kernel = kernel
        self.lease_s = lease_s
        self.pulse = pulse
        self.draining = False

    def drain(self) -> None:
        """From now on, attempts that are cancelled give their action back instead of failing."""
        self.draining = True

    async def handle(
        self, delivery: Delivery, slot: Slot | None = None, *, leave_at: float | None = None
    ) -> bool:
        """Handle one delivery to its end.

        Args:
            delivery: The message.
            slot: The slot that it runs in, if slots are counted here; closed at the end.
            leave_at: When this process ends, epoch seconds; None if it stays.

        Returns:
            Whether the message has done its work and was deleted.
        """
        slot = slot or Slot(None)
        ports = self.kernel.ports
        lease = Lease(id=self.kernel.ids.new(), expires_at=ports.clock.now() + self.lease_s)
        try:
            return await self._claim_and_run(delivery, lease, slot, leave_at)
        except Exception as e:
            fields = {"action_id": delivery.message.action.action_id, "received": delivery.received}
            log.warning("an action could not be handled; it is delivered again", extra=fields, exc_info=True)
            return await put_back(self.kernel, delivery, lease, e)
        finally:
            slot.close()

    async def _claim_and_run(
        self, delivery: Delivery, lease: Lease, slot: Slot, leave_at: float | None
    ) -> bool:
        ports = self.kernel.ports
        spec = await self._storable(delivery.message.action)
        claim = Claim(
            spec=spec,
            executor=ports.executor,
            lease=lease,
            max_losses=self.kernel.settings.max_system_losses,
        )
        key = ActionKey(spec.run.run_id, spec.action_id)
        decision = await transition(ports.store, ports.clock, key, claim)
        if not any(isinstance(effect, Run) for effect in decision.effects):
            await carry_out(self.kernel, decision, delivery, spec)
            return _acknowledged(decision)
        record = decision.record or await ports.store.get(key)
        assert record is not None  # claimed just now
        return await _Attempt(self, delivery, record, lease, slot, leave_at).run()

    async def _storable(self, spec: ActionSpec) -> ActionSpec:
        """Return the action with inputs of a size that its record can hold."""
        inputs = spec.inputs
        if inputs.text is None or inputs.size_bytes <= RECORD_INLINE_BYTES:
            return spec
        payload = await pack(
            self.kernel.ports.blobs, spec.run.run_id, inputs.text.encode(), inline_bytes=RECORD_INLINE_BYTES
        )
        return replace(spec, inputs=payload)


async def _stopped(helper: asyncio.Future[None] | None) -> None:
    if helper is not None:
        helper.cancel()
        await asyncio.gather(helper, return_exceptions=True)


def _acknowledged(decision: Decision) -> bool:
    return any(isinstance(effect, Acknowledge) for effect in decision.effects)


class _Attempt:
    """One attempt, from its claim to its reply."""

    def __init__(
        self,
        executor: Executor,
        delivery: Delivery,
        record: ActionRecord,
        lease: Lease,
        slot: Slot,
        leave_at: float | None,
    ) -> None:
        self._executor = executor
        self._kernel = executor.kernel
        self._delivery = delivery
        self._record = record
        self._lease = lease
        self._slot = slot
        self._driver = Driver(self._kernel, record, slot)
        self._loop = asyncio.get_running_loop()
        self._work: asyncio.Task[Outcome] | None = None
        self._stop = self._cancel
        self._leave_at = leave_at
        self._suspend: Suspend | None = None

    async def run(self) -> bool:
        """Run the task, record how it ended, reply."""
        key = self._record.key
        self._work = asyncio.create_task(invoke(self._kernel, self._record, self._driver))
        self._kernel.hub.started(key, self._stop)
        alive = self._start_pulse()
        lingering = asyncio.create_task(self._linger()) if self._kernel.suspends else None
        try:
            await self._settled(self._work)
        finally:
            self._kernel.hub.ended(key, self._stop)
            await _stopped(lingering)
            try:
                await self._driver.close()
                await self._tidy()
            finally:  # until here: to abort many children may take longer than a lease
                await _stopped(alive)
        if self._work.cancelled():
            return await (self._cancelled() if self._suspend is None else self._suspended(self._suspend))
        return await self._commit(Finish(lease_id=self._lease.id, outcome=self._work.result()))

    async def _tidy(self) -> None:
        """Delete what was downloaded, or a warm executor would fill its disk; on a laptop it may be of use."""
        if self._kernel.mode != "local":
            await asyncio.to_thread(shutil.rmtree, self._kernel.scratch_of(self._record), ignore_errors=True)

    async def _settled(self, work: asyncio.Task[Outcome]) -> None:
        """Wait for the task's function. When this executor stops, so does it, but its children go on."""
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            self._driver.leave()
            work.cancel()
            await asyncio.wait({work})

    async def _linger(self) -> None:
        """Suspend the attempt once it has waited for its children, and done nothing else, for long enough.

        Where the process is about to end, it goes as soon as it waits, and in the last moment even if it does
        something of its own, which begins anew when it is woken.
        """
        clock, settings = self._kernel.ports.clock, self._kernel.settings
        while True:
            await clock.sleep(settings.linger_s / LOOKS_PER_LINGER)
            idle_s = self._driver.idle_s()
            left_s = float("inf") if self._leave_at is None else self._leave_at - clock.now()
            is_last = left_s < LAST_MOMENT_S and self._driver.open_children > 0
            if idle_s >= settings.linger_s or (idle_s > 0 and left_s < LEAVE_EARLY_S) or is_last:
                if idle_s == 0:
                    log.warning("suspended in the middle of work of its own", extra=self._fields())
                self._suspend = Suspend(
                    lease_id=self._lease.id,
                    open_children=self._driver.open_children,
                    waiting_since=self._driver.waiting_since,
                    task_token=self._delivery.message.task_token,
                )
                self._driver.leave()
                self._cancel()
                return

    async def _suspended(self, suspend: Suspend) -> bool:
        """Write that the attempt sleeps, then look once more: who ended before that saw nobody to wake."""
        ports = self._kernel.ports
        decision = await transition(ports.store, ports.clock, self._record.key, suspend, known=self._record)
        if (
            any(isinstance(effect, LookAgain) for effect in decision.effects)
            and await self._driver.look_again()
        ):
            await wake(self._kernel, self._record.key)
        await carry_out(self._kernel, decision, self._delivery, self._record.spec)
        return _acknowledged(decision)

    def _cancel(self) -> None:
        if self._work is not None:
            self._work.cancel()

    async def _cancelled(self) -> bool:
        """The attempt was stopped: by an abort, whose record is final, or because this executor drains."""
        if not self._executor.draining:
            return await self._discard_if_ended()
        return await self._commit(Release(lease_id=self._lease.id))

    async def _discard_if_ended(self) -> bool:
        """Delete the message of an action that ended under us; one that somebody else took over is theirs."""
        record = await self._kernel.ports.store.get(self._record.key)
        if record is None or record.outcome is None:
            return False
        await self._kernel.ports.queue.delete([self._delivery])
        return True

    async def _commit(self, command: Finish | Release) -> bool:
        ports = self._kernel.ports
        decision = await transition(ports.store, ports.clock, self._record.key, command, known=self._record)
        if any(isinstance(effect, Stop) for effect in decision.effects):
            log.info("an attempt ended after it had lost its lease", extra=self._fields())
        spec = decision.record.spec if decision.record is not None else self._record.spec
        await carry_out(self._kernel, decision, self._delivery, spec)
        return _acknowledged(decision)

    def _start_pulse(self) -> asyncio.Future[None]:
        pulse = self._executor.pulse
        if pulse is None:
            return asyncio.create_task(self._keep_alive(self._kernel.ports))
        return pulse.start(self._keep_alive(pulse.ports))

    async def _keep_alive(self, ports: Ports) -> None:
        """Extend the lease while the attempt lasts; an attempt whose lease is gone is stopped."""
        settings = self._kernel.settings
        while True:
            await ports.clock.sleep(settings.heartbeat_s)
            try:
                if not await self._extend(ports):
                    await self._lose(ports)
                    return
                await ports.queue.hide(self._delivery, self._executor.lease_s)
            except Exception:  # the store is out of reach: try again; the lease decides, not this request
                log.warning("could not extend a lease", extra=self._fields(), exc_info=True)

    async def _extend(self, ports: Ports) -> bool:
        expires_at = ports.clock.now() + self._executor.lease_s
        extend = Extend(lease=replace(self._lease, expires_at=expires_at))
        decision = await transition(ports.store, ports.clock, self._record.key, extend, known=self._record)
        if decision.record is None:
            return False
        self._record = decision.record
        return True

    async def _lose(self, ports: Ports) -> None:
        """The lease is gone: the action has ended, and its children with it, or another attempt needs them."""
        record = await ports.store.get(self._record.key)
        if record is None or record.outcome is None:
            self._driver.leave()
        self._loop.call_soon_threadsafe(self._cancel)

    def _fields(self) -> dict[str, object]:
        spec = self._record.spec
        return {"run_id": spec.run.run_id, "action_id": spec.action_id, "attempt": self._record.attempt}
