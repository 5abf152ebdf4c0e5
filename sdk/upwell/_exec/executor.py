"""Runs delivered actions: claim, run, finish, reply. The same on a laptop, in Lambda and in a worker."""

from __future__ import annotations

import logging
from dataclasses import replace

from upwell._core.commands import Claim, Finish, Run
from upwell._core.limits import RECORD_INLINE_BYTES
from upwell._core.metrics import Metric
from upwell._core.model import ActionKey, ActionRecord, ActionSpec, CacheEntry, Lease, Outcome, Status
from upwell._core.ports import Delivery
from upwell._exec.attempt import HELD_MARGIN_S, Attempt
from upwell._exec.effects import LateError, acknowledged, carry_out
from upwell._exec.kernel import Kernel
from upwell._exec.laps import FirstReceipt, received
from upwell._exec.payloads import pack
from upwell._exec.places import Places
from upwell._exec.putback import put_back
from upwell._exec.sharing import Sharing
from upwell._exec.slots import Slot
from upwell._exec.subject import about
from upwell._exec.timed_slot import TimedSlot
from upwell._exec.transition import transition

log = logging.getLogger("upwell.executor")


class Executor:
    """Handles deliveries.

    Args:
        kernel: The surroundings.
        lease_s: How long a claim holds without an extension.
    """

    def __init__(self, kernel: Kernel, *, lease_s: float) -> None:
        self.kernel = kernel
        self.lease_s = lease_s
        self.draining = False
        self._first = FirstReceipt(kernel.ports.clock.now())
        self._sharing = Sharing(1)

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
        action = delivery.message.action
        with about(run_id=action.run.run_id, action_id=action.action_id):
            return await self._handle(delivery, slot or Slot(None), leave_at)

    async def _handle(self, delivery: Delivery, slot: Slot, leave_at: float | None) -> bool:
        expires_at = self.kernel.ports.clock.now() + self.lease_s
        lease = Lease(id=self.kernel.ids.new(), expires_at=expires_at)
        try:
            return await self._claim_and_run(delivery, lease, slot, leave_at)
        except LateError as e:
            log.info("an action took longer than its message was hidden", extra={"cause": str(e)})
            return False
        except Exception as e:
            fields = {"received": delivery.received}
            log.warning("an action could not be handled; it is delivered again", extra=fields, exc_info=True)
            return await put_back(self.kernel, delivery, lease, e)
        finally:
            slot.close()

    async def _claim_and_run(
        self, delivery: Delivery, lease: Lease, slot: Slot, leave_at: float | None
    ) -> bool:
        ports = self.kernel.ports
        started = self._first.take()
        spec = await self._storable(delivery.message.action)
        places = Places(ports, spec, lease.id, self.lease_s)
        try:
            wait_s = await places.take()
            if places.unusable is not None:
                spec = replace(spec, unusable=places.unusable)
            claim = Claim(
                spec=spec,
                executor=ports.executor,
                lease=lease,
                max_losses=self.kernel.settings.max_system_losses,
                wait_s=wait_s,
                received=delivery.received,
                task_token=delivery.message.task_token,
            )
            key = ActionKey(spec.run.run_id, spec.action_id)
            decision = await transition(ports.store, ports.clock, key, claim)
            if not any(isinstance(effect, Run) for effect in decision.effects):
                if wait_s is None:
                    self.kernel.metrics.add(Metric.CLAIMS_REFUSED, pool=spec.task.pool)
                await carry_out(self.kernel, decision, delivery, spec, lease.expires_at - HELD_MARGIN_S)
                return acknowledged(decision)
            record = decision.record or await ports.store.get(key)
            assert record is not None  # claimed just now
            places.begin()
            if places.hit is not None:
                return await self._finish_with(places.hit, delivery, record, lease)
            phases = received(record, ports.clock.now(), started)
            timed = TimedSlot(places.park(slot), slot.sharing or self._sharing, ports.clock, record)
            try:
                return await Attempt(self, delivery, record, lease, timed, leave_at, places, phases).run()
            finally:
                timed.close()
        finally:
            await places.release()

    async def _finish_with(
        self, hit: CacheEntry, delivery: Delivery, record: ActionRecord, lease: Lease
    ) -> bool:
        """End an action with what another one computed while it waited."""
        ports, outcome = self.kernel.ports, Outcome(status=Status.SUCCEEDED, output=hit.output)
        finish = Finish(lease_id=lease.id, outcome=outcome, cached_from=hit.made_by, cached_at=hit.created_at)
        decision = await transition(ports.store, ports.clock, record.key, finish, known=record)
        await carry_out(self.kernel, decision, delivery, record.spec, lease.expires_at - HELD_MARGIN_S)
        return acknowledged(decision)

    async def _storable(self, spec: ActionSpec) -> ActionSpec:
        """Return the action with inputs of a size that its record can hold."""
        inputs = spec.inputs
        if inputs.text is None or inputs.size_bytes <= RECORD_INLINE_BYTES:
            return spec
        payload = await pack(
            self.kernel.ports.blobs, spec.run.run_id, inputs.text.encode(), inline_bytes=RECORD_INLINE_BYTES
        )
        return replace(spec, inputs=payload)
