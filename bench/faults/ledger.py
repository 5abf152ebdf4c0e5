"""What the store accepted, in order: the witness that the checks ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.faults.notes import Note
from upwell._core.model import ActionKey, ActionRecord, Status
from upwell._core.ports import Clock
from upwell._core.wire import Message


@dataclass(frozen=True, slots=True)
class Saved:
    """An accepted write of a record."""

    at: float
    record: ActionRecord


@dataclass(slots=True)
class Ledger:
    """The accepted writes of one run, its messages and its tasks' side effects."""

    clock: Clock
    saves: dict[ActionKey, list[Saved]] = field(default_factory=dict)
    sent: dict[ActionKey, Message] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """What must not be, seen as it was written."""

    def saved(self, record: ActionRecord) -> None:
        """Note an accepted write. Of a generation, one outcome may ever be accepted, and nothing after it."""
        before = self.saves.get(record.key)
        if before:
            last = before[-1].record
            if last.outcome is not None and last.generation == record.generation:
                self.wrong.append(f"{record.key.action_id} was {last.status} and became {record.status}")
            elif record.version <= last.version:
                self.wrong.append(
                    f"{record.key.action_id}: version {record.version} was written after {last.version}"
                )
        self.saves.setdefault(record.key, []).append(Saved(self.clock.now(), record))

    def history(self, key: ActionKey) -> list[ActionRecord]:
        """Return the records of an action in the order of their versions; equal ones in that of time."""
        return [saved.record for saved in sorted(self.saves[key], key=lambda s: s.record.version)]

    def task_of(self, key: ActionKey) -> str:
        """Return the name of an action's task; empty when nobody claimed it."""
        return self.saves[key][0].record.spec.task.name if key in self.saves else ""

    def holds_lease(self, key: ActionKey, note: Note) -> bool:
        """Whether the attempt that had a side effect held a valid lease then."""
        before = [saved.record for saved in self.saves.get(key, ()) if saved.at <= note.at]
        if not before:
            return False
        record = before[-1]
        return (
            record.status is Status.RUNNING
            and record.attempt == note.attempt
            and record.attempts[-1].executor.id == note.process
            and record.lease is not None
            and record.lease.expires_at > note.at
        )


class WitnessedStore:
    """A store whose accepted writes of records are noted."""

    def __init__(self, store: Any, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def save(self, record: ActionRecord, *, expected: int | None) -> bool:
        """Write a record under its condition."""
        accepted: bool = await self._store.save(record, expected=expected)
        if accepted:
            self._ledger.saved(record)
        return accepted


class WitnessedQueue:
    """A queue whose messages are noted."""

    def __init__(self, queue: Any, ledger: Ledger) -> None:
        self._queue, self._ledger = queue, ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    async def send(self, pool: str, messages: Sequence[Message], delay_s: float = 0.0) -> None:
        """Send messages."""
        await self._queue.send(pool, messages, delay_s)
        for message in messages:
            spec = message.action
            self._ledger.sent[ActionKey(spec.run.run_id, spec.action_id)] = message
