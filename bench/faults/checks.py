"""What must hold after a run, whatever happened in it. Each check returns what is wrong, in words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bench.faults.ledger import Ledger
from bench.faults.notes import Note
from bench.faults.programs import ENTER, LEAVE, ExpectedError, Node, expected
from upwell._core.holds import Hold
from upwell._core.model import ActionKey, ActionRecord, Outcome, Status


def check_result(program: Node, outcome: Outcome | None, value: object) -> Iterator[str]:
    """The result is the one that plain Python computes: a value, or the code of an error."""
    try:
        right: object = expected(program)
        code = None
    except ExpectedError as e:
        right, code = None, e.code
    if outcome is None:
        yield "the run has no outcome"
    elif outcome.error is not None:
        if outcome.error.code != code:
            yield f"failed with {outcome.error.code}: {outcome.error.message}, expected {code or right}"
    elif code is not None:
        yield f"gave {value!r}, expected the error {code}"
    elif value != right:
        yield f"gave {value!r}, expected {right!r}"


def check_ends(ledger: Ledger, records: Iterable[ActionRecord]) -> Iterator[str]:
    """No action, and no message, is without an end."""
    by_key = {record.key: record for record in records}
    for key, record in by_key.items():
        if record.outcome is None:
            yield f"{key.action_id} ({record.spec.task.name}) is {record.status} for good"
    for key, message in ledger.sent.items():
        if key not in by_key:
            yield f"{key.action_id} ({message.action.task.name}) was sent and never taken"


def check_children(records: Sequence[ActionRecord], patience_s: float) -> Iterator[str]:
    """Children of a parent that ended are ended soon after it, whatever they were doing."""
    ended_at = {record.spec.action_id: record.ended_at for record in records}
    for record in records:
        parent_end = ended_at.get(record.spec.parent_id or "")
        if parent_end is None or record.ended_at is None:
            continue
        late_s = record.ended_at - parent_end
        if late_s > patience_s:
            yield f"{record.spec.action_id} ({record.spec.task.name}) ended {late_s:.0f} s after its parent"


def check_warnings(records: Iterable[ActionRecord]) -> Iterator[str]:
    """The programs are deterministic, and no replay of them is found to differ."""
    for record in records:
        for warning in record.warnings:
            yield f"{record.spec.action_id} ({record.spec.task.name}): {warning.message}"


def check_side_effects(ledger: Ledger, run_id: str) -> Iterator[str]:
    """Of the attempts that held a valid lease, none does what another one did.

    One attempt has its side effect once. One that was recorded as succeeded is the last.
    """
    valid = [note for note in ledger.notes if ledger.holds_lease(ActionKey(run_id, note.action), note)]
    yield from check_notes(valid)
    for note in valid:
        last = ledger.history(ActionKey(run_id, note.action))[-1]
        if last.status is Status.SUCCEEDED and note.attempt > last.attempt:
            yield f"{note.action}: attempt {note.attempt} did something after {last.attempt} had succeeded"


def check_limits(ledger: Ledger, run_id: str, tasks: Mapping[str, int]) -> Iterator[str]:
    """No more attempts that held valid leases ran at once than the limit of their task allows.

    Args:
        ledger: Of the run.
        run_id: Its id.
        tasks: Task name -> its limit.
    """
    for task, limit in tasks.items():
        steps: list[tuple[float, int]] = []
        for (action, _), notes in _by_attempt(ledger.notes).items():
            key = ActionKey(run_id, action)
            times = {n.what: n.at for n in notes if ledger.holds_lease(key, n)}
            if ledger.task_of(key) == task and times.keys() >= {ENTER, LEAVE}:
                steps += [(times[ENTER], 1), (times[LEAVE], -1)]
        running = 0
        for at, change in sorted(steps):
            running += change
            if running > limit:
                yield f"{running} of {task} ran at once at {at}, the limit is {limit}"
                break


def check_locks(holds: Iterable[Hold], now: float) -> Iterator[str]:
    """All places under limits are free again."""
    for hold in holds:
        if hold.expires_at > now or hold.asleep:
            yield f"{hold.scope}: place {hold.place} is held by {hold.action_id} on {hold.executor.id}"


def _by_attempt(notes: Iterable[Note]) -> dict[tuple[str, int], list[Note]]:
    found: dict[tuple[str, int], list[Note]] = {}
    for note in notes:
        found.setdefault((note.action, note.attempt), []).append(note)
    return found


def check_notes(notes: Iterable[Note]) -> Iterator[str]:
    """No attempt has its side effect twice."""
    for (action, attempt, what), times in Counter((n.action, n.attempt, n.what) for n in notes).items():
        if times > 1:
            yield f"{action}: attempt {attempt} had its side effect {times} times {what}".rstrip()


def describe_open(records: Iterable[ActionRecord]) -> str:
    """Return what has not ended, for a run that hangs."""
    lines = []
    for record in records:
        if record.outcome is None:
            attempts = [(attempt.number, attempt.executor.id, attempt.end) for attempt in record.attempts]
            fields = {"status": record.status, "version": record.version, "attempts": attempts}
            lines.append(f"{record.spec.action_id} {record.spec.task.name} {json.dumps(fields)}")
    return "\n".join(lines) or "nothing that has a record"
