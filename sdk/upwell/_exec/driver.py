"""The engine's half of one attempt: turns calls of tasks into children, and waits for them.

An attempt that is not the first replays: it reads its journal before the task's function starts, gives back at
once what is recorded there, sends what is not, and waits for what is under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from upwell import errors
from upwell._core.bounds import is_bounded
from upwell._core.holds import limits_of
from upwell._core.journal import Journal
from upwell._core.limits import MESSAGE_INLINE_BYTES
from upwell._core.model import (
    ActionKey,
    ActionRecord,
    ActionSpec,
    Outcome,
    Payload,
    RunSpec,
    Status,
    Unusable,
)
from upwell._exec.batches import salvage
from upwell._exec.boundary import Answer, AttemptLostError, Call, Ended, TraceRecord, UserCode
from upwell._exec.call_ids import CallIds
from upwell._exec.code_documents import CodeDocuments
from upwell._exec.effects import abort
from upwell._exec.growth import GrowthGuard
from upwell._exec.hits import CacheHits, Found
from upwell._exec.kernel import Kernel
from upwell._exec.laps import Laps, Noticing
from upwell._exec.payloads import pack, unpack
from upwell._exec.recorder import Recorder
from upwell._exec.replay import Checks, read_journal
from upwell._exec.sender import Sender, window
from upwell._exec.slots import Slot
from upwell._exec.upkeep import Upkeep
from upwell._exec.watch import Watch
from upwell._exec.windows import Windows, turn

T = TypeVar("T")


class _Busy:
    """Entered while the engine does something for a call that is not waiting for the child."""

    __slots__ = ("times",)

    def __init__(self) -> None:
        self.times = 0

    def __enter__(self) -> None:
        self.times += 1

    def __exit__(self, *exc: object) -> None:
        self.times -= 1


class Driver:
    """Implements `boundary.Host` for one attempt of an action.

    Args:
        kernel: The surroundings.
        record: The action as claimed.
        slot: Parked while the task waits for nothing but children.
    """

    def __init__(self, kernel: Kernel, record: ActionRecord, slot: Slot) -> None:
        self._kernel = kernel
        self._spec = record.spec
        self._slot = slot
        self.journal = Journal(record.spec.run.generation)
        self._watch = Watch(kernel, record.key, self.journal)
        self.checks = Checks(record)
        self._growth = GrowthGuard(record.spec, kernel.sizes, kernel.ports.store, kernel.settings)
        self._sender = Sender(kernel, record.key, self.journal, failures=record.failures)
        self._recorder = Recorder(kernel, record, self.journal)
        self._hits = CacheHits(kernel, record.key, self.journal, self._recorder)
        self._documents = CodeDocuments(kernel)
        self._upkeep = Upkeep(kernel, self.journal)
        self._watch.send_lost = self._upkeep.send_lost
        self._in_flight = asyncio.Semaphore(window(record, kernel.settings.max_in_flight))
        self._windows = Windows(kernel.ports.clock)
        self._open: dict[str, ActionSpec] = {}
        self._calls: set[asyncio.Future[Outcome]] = set()
        self._ended = False
        self._leaving = False
        self._lease = record.lease
        self._replays = record.attempt > 1 or record.generation > 1 or record.suspension is not None
        self._ids = CallIds(self._spec, self.journal, failures=record.failures, replays=self._replays)
        self._awaited: dict[str, ActionSpec] = {}
        self._user: UserCode | None = None
        self._busy = _Busy()
        self.laps = Laps(self.now)
        self.noticing = Noticing()
        self.trouble: Exception | None = None
        """What failed of the engine's own work; the attempt does not count then."""

    @property
    def _key(self) -> ActionKey:
        return ActionKey(self._spec.run.run_id, self._spec.action_id)

    async def prepare(self) -> None:
        """Read the journal, if an earlier attempt may have written one."""
        if self._replays:
            store = self._kernel.ports.store
            entries = await read_journal(store, self._key, self.journal, self._watch.cursors)
            if self._spec.items <= 1:  # a batch does not repeat the calls of items that are done
                self.checks.begin(entries)
            self._growth.begin(self.journal)

    def leave(self) -> None:
        """From now on leave the children alone: another attempt of the action will wait for them."""
        self._leaving = True

    @property
    def open_children(self) -> int:
        """Children that the task waits for."""
        return len(self._open)

    @property
    def waiting_since(self) -> float:
        """When half of the children that the task waits for had been called, be it by an earlier attempt."""
        sent_at = self.journal.sent_at
        called_at = sorted(sent_at.get(child, spec.queued_at) for child, spec in self._open.items())
        return called_at[len(called_at) // 2] if called_at else self.now()

    async def run(self, user: UserCode) -> Ended:
        """Run the user's half of the attempt to its end."""
        self._user = user
        self.laps.enter("run_s")
        try:
            ended = await user.run()
        except AttemptLostError:
            self.leave()  # before the calls that died with it are cancelled: that is not the task's wish
            raise
        self._ended = True  # and so before the calls that it did not wait for
        self.laps.take(ended.phases)
        await self.guard(self._recorder.written())
        return ended

    async def idle_s(self) -> float:
        """Return for how long the task has waited for its children and done nothing else; 0 if it does."""
        if self._user is None or self._busy.times or not self._open:
            return 0.0
        return await self._user.idle_s()

    def suspend(self) -> None:
        """Leave, and remember which children the task waits for."""
        self._awaited = dict(self._open)
        self.leave()

    @property
    def silent_children(self) -> list[ActionSpec]:
        """Children that the task waited for when it was suspended, and that do not know it."""
        shards = self.journal.open
        return [
            replace(spec, shard=shards.get(child, 0))
            for child, spec in self._awaited.items()
            if not spec.parent_sleeps
        ]

    async def look_again(self) -> bool:
        """Read the journal once more; return whether a child that the task waited for has ended.

        It may have ended at any time since the decision to suspend, also before this look: until the suspension
        was written it found its parent awake, and told nobody.
        """
        await self._watch.look_again()
        return any(child in self.journal.outcomes for child in self._awaited)

    async def guard(self, work: Awaitable[T]) -> T:
        """Await engine work. If it fails, that is not the task's failure: the attempt does not count."""
        try:
            return await work
        except Exception as e:
            said = isinstance(
                e, errors.UpwellError | errors.BaseRuntimeError
            )  # what the program can do about it
            if not said or isinstance(e, errors.UnavailableError):
                self.trouble = self.trouble or e
                self.leave()
            raise

    async def close(self) -> None:
        """The task's function is over: abort the children that it did not wait for."""
        self._ended = True
        for waiting in list(self._calls):
            waiting.cancel()
        try:
            orphans = [spec for child, spec in self._open.items() if child not in self.journal.outcomes]
            if orphans and not self._leaving:
                await self._abort(orphans, "ended")
        finally:
            await self._watch.close()
            await self._sender.close()
            await self._hits.close()
            await self._close_recorder()

    async def _close_recorder(self) -> None:
        try:
            await self._recorder.close()
        except Exception:
            if self.trouble is None:  # else it is known, and the attempt does not count
                raise

    async def _abort(self, children: list[ActionSpec], why: str) -> None:
        if await self._is_ours():
            reason = f"its parent {self._spec.task.name} {why}"
            await asyncio.gather(*(abort(self._kernel, spec, reason) for spec in children))

    async def _is_ours(self) -> bool:
        """Whether no other attempt has begun; if one has, the children are its own."""
        record = await self._kernel.ports.store.get(self._key)
        ours = self._lease.id if self._lease else None
        return record is not None and record.lease is not None and record.lease.id == ours

    # --- Host -----------------------------------------------------------------------------------------------

    async def call(self, call: Call, inputs: bytes) -> Answer:
        """See `Host.call`."""
        with self._busy:
            self._documents.take(call)
            ids = self._ids.of(call)
            self.checks.ask(ids, call)
            child_id = self._ids.of_this_try(ids)
            outcome = self._ids.outcome(ids, call)
            if outcome is None:
                child = self._child(child_id, call, inputs)
                outcome = await self._refused(child)
                found = None if outcome is not None else await self._hit(child, inputs)
                if isinstance(found, Found):
                    return Answer(data=found.data)
                if found is not None:
                    child = replace(child, unusable=found)
        if outcome is None:
            outcome = await self._outcome(child, call, inputs)
        recorded_at = self._watch.recorded_at.pop(child_id, None)
        if outcome.error is not None and call.items <= 1:
            return Answer(error=outcome.error, ran_s=outcome.ran_s)
        with self._busy:
            if outcome.output is not None:
                data = await self.load(outcome.output)
            else:  # of a batch that failed as a whole
                store, blobs = self._kernel.ports.store, self._kernel.ports.blobs
                data = await self.guard(salvage(store, blobs, ActionKey(self._key.run_id, child_id)))
        if recorded_at is not None and outcome.error is None:
            self.noticing.note(call.task.name, recorded_at, self.now())
        return Answer(error=outcome.error, data=data, ran_s=outcome.ran_s)

    async def load(self, payload: Payload) -> bytes:
        """Return the bytes of a payload, which may be a blob."""
        return await self.guard(unpack(self._kernel.ports.blobs, payload))

    async def record_trace(self, trace: TraceRecord, result: bytes) -> None:
        """See `Host.record_trace`."""
        await self.guard(self._recorder.record(trace, result))

    @property
    def is_waiting(self) -> bool:
        """See `Host.is_waiting`."""
        return bool(self._open)

    def now(self) -> float:
        """See `Host.now`."""
        return self._kernel.ports.clock.now()

    # --- a call ---------------------------------------------------------------------------------------------

    def _child(self, child_id: str, call: Call, inputs: bytes) -> ActionSpec:
        return ActionSpec(
            run=self._run_for(call),
            action_id=child_id,
            task=call.task,
            inputs=Payload(size_bytes=len(inputs)),
            parent_id=self._spec.action_id,
            parent_sleeps=self._kernel.suspends,
            group=call.group,
            depth=self._spec.depth + 1,
            items=call.items,
            queued_at=self.now(),
        )

    def _run_for(self, call: Call) -> RunSpec:
        run = self._spec.run
        if call.custom_context == run.custom_context:
            return run
        return replace(run, custom_context=dict(call.custom_context))

    async def _refused(self, child: ActionSpec) -> Outcome | None:
        """Return the failure of a call that the run has grown too large for."""
        if child.action_id in self.journal.open:
            return None
        error = await self.guard(self._growth.refusal(child))
        return None if error is None else Outcome(status=Status.FAILED, error=error)

    async def _hit(self, child: ActionSpec, inputs: bytes) -> Found | Unusable | None:
        self._refuse_after_end(child)
        return await self.guard(self._hits.find(child, inputs))

    async def _outcome(self, child: ActionSpec, call: Call, inputs: bytes) -> Outcome:
        if child.action_id in self.journal.open or not limits_of(child.task):
            return await self._in_turn(child, call, inputs)
        async with self._windows.entered(child) as waited:
            if waited and child.task.cache_serialize:
                found = await self._hit(child, inputs)
                if isinstance(found, Found):
                    return found.outcome
            return await self._in_turn(child, call, inputs)

    async def _in_turn(self, child: ActionSpec, call: Call, inputs: bytes) -> Outcome:
        is_patient = not is_bounded(child)
        async with self._in_flight if is_patient else turn(self._in_flight, child, self._kernel.ports.clock):
            self._refuse_after_end(child)  # it may have waited for its turn until the end
            return await self._send_and_wait(child, call, inputs)

    def _refuse_after_end(self, child: ActionSpec) -> None:
        if self._ended:
            raise asyncio.CancelledError(f"{self._spec.task.name} has ended; it cannot call {child.task.name}")

    async def _send_and_wait(self, child: ActionSpec, call: Call, inputs: bytes) -> Outcome:
        waiting = self._watch.expect(child.action_id)
        self._calls.add(waiting)
        self._open[child.action_id] = child
        self._slot.park()
        try:
            if self.journal.must_send(child.action_id):
                with self._busy:
                    await self.guard(self._send(child, call, inputs))
            with self._upkeep.of(child, partial(self._send, child, call, inputs)):
                outcome = await waiting
        except asyncio.CancelledError:
            if self._ended:
                raise  # still open: `close` aborts it with the others
            if not self._leaving:
                await asyncio.shield(self.guard(self._abort([child], "cancelled the call")))
            del self._open[child.action_id]
            raise
        except BaseException:
            del self._open[child.action_id]
            raise
        finally:
            self._watch.settled(child.action_id)
            self._calls.discard(waiting)
            if not (self._ended or self._leaving):
                await self._slot.resume()
        del self._open[child.action_id]
        return outcome

    async def _send(self, child: ActionSpec, call: Call, inputs: bytes) -> None:
        payload = await self._pack(inputs, MESSAGE_INLINE_BYTES)
        await self._documents.keep(child.task)
        await self._recorder.written()
        await self._sender.send(child, payload, call.input_digest, call.batch)

    async def _pack(self, encoded: bytes, inline_bytes: int) -> Payload:
        return await pack(self._kernel.ports.blobs, self._spec.run.run_id, encoded, inline_bytes=inline_bytes)
