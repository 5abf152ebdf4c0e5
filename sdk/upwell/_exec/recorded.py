"""An attempt that is run once more, for a person to look at: its calls are answered from what is recorded.

Nothing is written to the run. The task's own code runs for real, whatever it does to the world outside; what
its traces and its children returned is not done again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from upwell._core.batch import BatchInputs, load_results
from upwell._core.journal import Journal
from upwell._core.model import (
    ActionKey,
    ActionRecord,
    ActionSpec,
    Bounds,
    ErrorInfo,
    Outcome,
    Status,
)
from upwell._core.ports import BlobStore, StateStore
from upwell._exec.batches import checkpoints, salvage
from upwell._exec.boundary import Answer, Call, TraceRecord
from upwell._exec.call_ids import CallIds
from upwell._exec.control import find_known, inputs_of, no_such_action
from upwell._exec.environment import SystemClock
from upwell._exec.payloads import unpack
from upwell._exec.replay import read_journal
from upwell.errors import ActionNotFoundError

FAILURE_ENDS = frozenset({"failed", "timed_out"})
"""Ends of attempts that count as failures of the task."""
WITH_ITS_PARENT = "its parent "
"""How the reason begins for which a child was aborted that its parent did not wait for any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What is recorded of an attempt.

    Attributes:
        action: The action.
        attempt: Number of the attempt.
        failures: How often the action had failed before it.
        inputs: Encoded.
        journal: What its calls and traces gave.
    """

    action: ActionRecord
    attempt: int
    failures: int
    inputs: bytes
    journal: Journal

    @property
    def error(self) -> ErrorInfo | None:
        """How the attempt failed; None if it did not, or that is not known."""
        if self.is_last and self.action.outcome is not None:
            return self.action.outcome.error
        return next((each.error for each in self.action.attempts if each.number == self.attempt), None)

    @property
    def is_last(self) -> bool:
        """Whether the action has had no later attempt."""
        return self.attempt >= self.action.attempt

    @property
    def spec(self) -> ActionSpec:
        """The action without bounds: whoever looks at it takes his time."""
        spec = self.action.spec
        return replace(spec, task=replace(spec.task, bounds=Bounds()))


async def read_recording(
    store: StateStore, blobs: BlobStore, key: ActionKey, attempt: int | None = None
) -> Recording:
    """Read what is recorded of an attempt, by default of the latest one.

    Raises:
        ActionNotFoundError: there is no such action, or no such attempt of it.
    """
    record = await find_known(store, key.run_id, key.action_id)
    if record is None:
        raise no_such_action(key.run_id, key.action_id, "that was begun")
    last = max(record.attempt, 1)
    if attempt is not None and not 1 <= attempt <= last:
        had = "one attempt" if last == 1 else f"attempts 1 to {last}"
        raise ActionNotFoundError(f"action {key.action_id} of run {key.run_id} has had {had}, not {attempt}")
    number = attempt or last
    journal = Journal(record.generation)
    await read_journal(store, record.key, journal)
    inputs = await unpack(blobs, await inputs_of(store, record.spec, record))
    if record.spec.items > 1:
        inputs = await _items_that_failed(blobs, record, journal, inputs)
    later = sum(each.number >= number and each.end in FAILURE_ENDS for each in record.attempts)
    return Recording(
        action=record, attempt=number, failures=max(0, record.failures - later), inputs=inputs, journal=journal
    )


async def _items_that_failed(blobs: BlobStore, record: ActionRecord, journal: Journal, inputs: bytes) -> bytes:
    """Return the inputs of a batch in which the items that succeeded are done already."""
    done = {place: each for place, each in (await checkpoints(blobs, journal)).items() if isinstance(each, str)}
    output = record.outcome.output if record.outcome is not None else None
    if output is not None:
        results = load_results(await unpack(blobs, output))
        done |= {place: each for place, each in enumerate(results) if isinstance(each, str)}
    batch = BatchInputs.load(inputs)
    return inputs if len(done) == len(batch.items) else replace(batch, done=done).dump()


class RecordedHost:
    """Implements `boundary.Host` over a recording.

    A call of which no outcome is recorded is not answered, as it was not when the attempt ran, until nothing
    else is left that the task waits for; then `give_up` fails it.

    Args:
        recording: The attempt.
        store: Where the run is.
        blobs: Where large values are.
    """

    def __init__(self, recording: Recording, store: StateStore, blobs: BlobStore) -> None:
        self._recording = recording
        self._store = store
        self._blobs = blobs
        self._ids = CallIds(recording.action.spec, recording.journal, failures=recording.failures, replays=True)
        self._clock = SystemClock()
        self._unanswered: dict[str, tuple[Call, asyncio.Future[Answer]]] = {}
        self.failed: list[tuple[str, ErrorInfo]] = []
        """Children whose failure was given to the task, and how they failed."""
        self.missing: list[str] = []
        """What was said of the calls that could not be answered."""

    async def call(self, call: Call, inputs: bytes) -> Answer:
        """See `Host.call`."""
        recording, ids = self._recording, self._ids.of(call)
        if not recording.is_last:  # what later attempts came to know, this one did not
            ids = ids[: recording.failures + 1]
        child_id = self._ids.of_this_try(ids)
        outcome = self._ids.outcome(ids, call)
        if outcome is None or _ended_with_its_parent(outcome):
            return await self._no_answer(child_id, call)
        if outcome.error is not None:
            self.failed.append((child_id, outcome.error))
        if outcome.error is not None and call.items <= 1:
            return Answer(error=outcome.error, ran_s=outcome.ran_s)
        if outcome.output is not None:
            data = await unpack(self._blobs, outcome.output)
        else:
            key = ActionKey(recording.action.key.run_id, child_id)
            data = await salvage(self._store, self._blobs, key)
        return Answer(error=outcome.error, data=data, ran_s=outcome.ran_s)

    async def _no_answer(self, child_id: str, call: Call) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._unanswered[child_id] = (call, answer)
        try:
            return await answer
        finally:
            del self._unanswered[child_id]

    def give_up(self) -> None:
        """Fail the calls that nothing is recorded of."""
        known = self._recording.journal.open
        for child_id, (call, answer) in self._unanswered.items():
            if answer.done():
                continue
            why = (
                "has not ended"
                if child_id in known
                else "is not in the journal: the code calls what it did not"
            )
            text = f"no outcome is recorded of this call of {call.task.name} (action {child_id}): {why}"
            self.missing.append(text)
            answer.set_exception(ActionNotFoundError(text))

    async def record_trace(self, trace: TraceRecord, result: bytes) -> None:
        """See `Host.record_trace`; nothing is written."""

    def now(self) -> float:
        """See `Host.now`."""
        return self._clock.now()

    @property
    def is_waiting(self) -> bool:
        """See `Host.is_waiting`; here, whether there are calls that nothing is recorded of."""
        return bool(self._unanswered)


def _ended_with_its_parent(outcome: Outcome) -> bool:
    """Whether a child was aborted because its parent did not want it any more: it never got an answer then."""
    error = outcome.error
    return outcome.status is Status.ABORTED and error is not None and error.message.startswith(WITH_ITS_PARENT)
