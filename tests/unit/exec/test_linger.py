"""How long a parent stays in a process that it could leave, and what it remembers of how long it waits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.core.actions import NOW, SUCCESS, claim, running, spec, step

from upwell._core.commands import Suspend, Wake
from upwell._core.journal import Completed, Journal, Scheduled, Sent
from upwell._core.model import ActionRecord
from upwell._exec.linger import patience_s

LIMIT_S = 5.0
PARENT = spec(action_id="parent")


def resumed(waited_s: float) -> ActionRecord:
    """An action that was suspended, woken, and claimed again so long after it had begun to wait."""
    suspend = Suspend(lease_id="lease-1", open_children=1, waiting_since=NOW)
    asleep = step(running(PARENT), suspend, NOW + min(5, waited_s))
    woken = step(asleep, Wake(), NOW + waited_s)
    now = NOW + waited_s
    return step(woken, claim(PARENT, "lease-2", now=now), now)


def test_one_that_was_never_suspended_stays_up_to_the_limit() -> None:
    assert patience_s(running(PARENT), LIMIT_S) == LIMIT_S


@pytest.mark.parametrize(("waited_s", "stays_s"), [(6, 1.0), (30, 1.5), (60, 3.0), (3600, LIMIT_S)])
def test_one_that_was_suspended_stays_for_a_restart_or_a_share_of_the_last_wait(
    waited_s: float, stays_s: float
) -> None:
    assert patience_s(resumed(waited_s), LIMIT_S) == pytest.approx(stays_s)


def test_a_lower_limit_holds() -> None:
    assert patience_s(resumed(30), 0.05) == 0.05


def test_a_journal_tells_since_when_open_children_are_waited_for() -> None:
    sent = Scheduled(
        at=NOW,
        generation=1,
        shard=0,
        children=tuple(Sent(action_id=child, task="env.task", pool="default") for child in "ab"),
    )
    ended = Completed(at=NOW + 9, generation=1, action_id="a", outcome=SUCCESS)
    journal = Journal(1)
    journal.apply([sent, ended, replace(sent, at=NOW + 50)])  # sent again by a later attempt
    assert journal.sent_at == {"b": NOW}
