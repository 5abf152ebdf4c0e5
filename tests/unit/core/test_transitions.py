"""The table of an action's life: each row is reached by a decision, and nothing else is possible."""

from __future__ import annotations

import pytest
from tests.unit.core.actions import BOOM, FAILURE, LEASE_S, LOSS, NOW, claim, finish, spec

from upwell._core import decide, outside, steps
from upwell._core.commands import Abort, Command, GiveUp, Lose, Release, Subscribe, Suspend, Wake
from upwell._core.model import TERMINAL, ActionRecord, Outcome, Status
from upwell._core.states import TRANSITIONS, Event, IllegalTransitionError, next_status

Story = list[tuple[Command, float]]
"""Commands, and seconds after NOW at which each comes."""

ONCE, RETRIED, OVERDUE = spec(), spec(retries=1), spec(max_queued_s=1, deadline_s=100)
AGAIN = claim(spec(generation=2), "lease-2")
ABORT, GIVE_UP, RELEASE = (
    Abort(spec=ONCE, reason="r"),
    GiveUp(spec=ONCE, reason="r"),
    Release(lease_id="lease-1"),
)
SUSPEND = Suspend(lease_id="lease-1", open_children=3, waiting_since=NOW)
TOO_LONG = Outcome(status=Status.TIMED_OUT, error=BOOM)

STORIES: dict[str, Story] = {
    "a success": [(claim(ONCE), 0), (finish(), 1)],
    "a failure": [(claim(ONCE), 0), (finish(FAILURE), 1)],
    "a failure, retried": [(claim(RETRIED), 0), (finish(FAILURE), 1), (claim(RETRIED, "lease-2"), 2)],
    "never delivered": [(GIVE_UP, 0)],
    "given up in the queue": [(claim(ONCE), 0), (RELEASE, 1), (GIVE_UP, 2)],
    "claimed too late": [(claim(OVERDUE), 5)],
    "claimed again past its deadline": [
        (claim(OVERDUE), 0),
        (RELEASE, 1),
        (claim(OVERDUE, "lease-2", now=NOW + 200), 200),
    ],
    "aborted before it was claimed": [(ABORT, 0)],
    "aborted in the queue": [(claim(ONCE), 0), (RELEASE, 1), (ABORT, 2)],
    "aborted while it ran": [(claim(ONCE), 0), (ABORT, 1)],
    "lost with its executor": [(claim(ONCE), 0), (claim(ONCE, "lease-2", now=NOW + LEASE_S), LEASE_S)],
    "lost with its process": [(claim(ONCE), 0), (Lose(lease_id="lease-1", error=LOSS), 1)],
    "given back by a draining executor": [(claim(ONCE), 0), (RELEASE, 1)],
    "suspended, woken, resumed": [(claim(ONCE), 0), (SUSPEND, 5), (Wake(), 9), (claim(ONCE, "lease-2"), 10)],
    "suspended, its message delivered again": [(claim(ONCE), 0), (SUSPEND, 5), (claim(ONCE, "lease-2"), 6)],
    "suspended past its deadline": [
        (claim(OVERDUE), 0),
        (SUSPEND, 5),
        (claim(OVERDUE, "lease-2", now=NOW + 200), 200),
    ],
    "aborted while it slept": [(claim(ONCE), 0), (SUSPEND, 5), (ABORT, 6)],
    "recovered while it slept": [(claim(ONCE), 0), (SUSPEND, 5), (AGAIN, 6)],
    "asked for by its parent before it was claimed": [(Subscribe(spec=ONCE), 0), (claim(ONCE), 1)],
    "run for too long": [(claim(ONCE), 0), (finish(TOO_LONG), 1)],
    "recovered in the queue": [(claim(ONCE), 0), (RELEASE, 1), (AGAIN, 2)],
    "recovered from a lost process": [(claim(ONCE), 0), (AGAIN, 1)],
    "recovered after a failure": [(claim(ONCE), 0), (finish(FAILURE), 1), (AGAIN, 2)],
    "recovered after an abort": [(ABORT, 0), (AGAIN, 1)],
    "recovered after a timeout": [(claim(OVERDUE), 5), (AGAIN, 6)],
}


def tell(story: Story) -> ActionRecord | None:
    record: ActionRecord | None = None
    for command, after_s in story:
        record = decide.decide(record, command, NOW + after_s).record or record
    return record


def test_every_row_of_the_table_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = set()

    def noted(status: Status, event: Event) -> Status:
        reached.add((status, event))
        return next_status(status, event)

    for module in (decide, outside, steps):
        monkeypatch.setattr(module, "next_status", noted)
    for story in STORIES.values():
        tell(story)
    assert reached == set(TRANSITIONS)


@pytest.mark.parametrize(
    ("status", "event"), [(s, e) for s in Status for e in Event if (s, e) not in TRANSITIONS]
)
def test_what_the_table_does_not_have_is_refused(status: Status, event: Event) -> None:
    with pytest.raises(IllegalTransitionError, match=status.value):
        next_status(status, event)


def test_only_a_recovery_leads_out_of_an_end() -> None:
    assert {event for status, event in TRANSITIONS if status in TERMINAL} == {Event.RECOVERED}


def test_nothing_leads_out_of_a_success() -> None:
    assert not [row for row in TRANSITIONS if row[0] is Status.SUCCEEDED]


def test_every_status_can_come_to_every_end() -> None:
    for status in set(Status) - TERMINAL:
        ahead, seen = [status], {status}
        while ahead:
            status = ahead.pop()
            ahead += [to for (of, _), to in TRANSITIONS.items() if of is status and to not in seen]
            seen.update(ahead)
        assert seen >= TERMINAL
