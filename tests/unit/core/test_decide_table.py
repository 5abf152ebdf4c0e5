"""Every command in every state of an action: what is written, and what is to be done then."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.core.actions import (
    FAILURE,
    LEASE_S,
    LOSS,
    NOW,
    claim,
    failed,
    finish,
    kinds,
    released,
    retrying,
    running,
    spec,
    step,
    succeeded,
)

from upwell._core.commands import (
    Abort,
    Acknowledge,
    Command,
    Effect,
    Extend,
    GiveUp,
    Lose,
    Postpone,
    Release,
    Reply,
    Resend,
    Run,
    Stop,
    StopChildren,
    Subscribe,
    TellNow,
)
from upwell._core.decide import decide
from upwell._core.model import ActionRecord, Lease, Status

# --- states: the record, and the time at which it is looked at

STATES: dict[str, Callable[[], tuple[ActionRecord | None, float]]] = {
    "new": lambda: (None, NOW),
    "released": lambda: (released(), NOW),
    "backoff": lambda: (retrying(), NOW),
    "backoff over": lambda: (retrying(), NOW + 10),
    "running": lambda: (running(spec(retries=3)), NOW),
    "lease expired": lambda: (running(spec(retries=3)), NOW + LEASE_S),
    "succeeded": lambda: (succeeded(), NOW),
    "failed": lambda: (failed(), NOW),
    "aborted": lambda: (step(running(), Abort(spec=spec(), reason="r")), NOW),
    "tombstone": lambda: (step(None, Abort(spec=spec(), reason="r")), NOW),
    "timed out": lambda: (step(None, claim(spec(deadline_s=1)), NOW + 5), NOW + 5),
}

COMMANDS: dict[str, Command] = {
    "claim": claim(spec(), "lease-2", now=NOW + LEASE_S),
    "claim again": claim(spec(), "lease-1"),
    "claim of next generation": claim(spec(generation=2), "lease-2", now=NOW + LEASE_S),
    "extend": Extend(lease=Lease(id="lease-1", expires_at=NOW + 60)),
    "extend of other": Extend(lease=Lease(id="lease-0", expires_at=NOW + 60)),
    "success": finish(),
    "failure": finish(FAILURE),
    "success of other": finish(lease_id="lease-0"),
    "release": Release(lease_id="lease-1"),
    "release of other": Release(lease_id="lease-0"),
    "loss": Lose(lease_id="lease-1", error=LOSS),
    "loss of other": Lose(lease_id="lease-0", error=LOSS),
    "abort": Abort(spec=spec(), reason="r"),
    "give up": GiveUp(spec=spec(), reason="r"),
    "subscribe": Subscribe(spec=spec()),
}

# --- what happens: the new status (None: nothing is written) and the effects in order

S = Status
Kinds = tuple[type[Effect], ...]
Expected = tuple[Status | None, Kinds]

RUN: Kinds = (Run,)
STALE: Kinds = (Stop,)
ENDED: Kinds = (Reply, Acknowledge)
TELL: Kinds = (TellNow,)
STOPPED: Kinds = (StopChildren, *ENDED)
RETRY: Kinds = (Resend, Acknowledge)

IN_THE_END: dict[str, Expected] = {
    "subscribe": (None, TELL),
    "extend": (None, STALE),
    "extend of other": (None, STALE),
    "success of other": (None, STALE),
    "release": (None, STALE),
    "release of other": (None, STALE),
    "loss": (None, STALE),
    "loss of other": (None, STALE),
}
NEVER_CLAIMED: dict[str, Expected] = {"success": (None, STALE), "failure": (None, STALE)}


def replied(effects: Kinds) -> dict[str, Expected]:
    """The answers of an ended action to whoever needs its outcome: the same, as often as it is asked."""
    return dict.fromkeys(("claim", "claim again", "abort", "give up"), (None, effects))


QUEUED: dict[str, Expected] = {
    "claim": (S.RUNNING, RUN),
    "claim again": (S.RUNNING, RUN),
    "claim of next generation": (S.RUNNING, RUN),
    "extend": (None, STALE),
    "extend of other": (None, STALE),
    "success of other": (None, STALE),
    "release of other": (None, STALE),
    "loss": (None, STALE),
    "loss of other": (None, STALE),
    "abort": (S.ABORTED, STOPPED),
    "give up": (S.FAILED, STOPPED),
    "subscribe": (S.QUEUED, ()),
}
RUNNING: dict[str, Expected] = {
    "subscribe": (S.RUNNING, ()),
    "claim of next generation": (S.RUNNING, RUN),
    "extend": (S.RUNNING, ()),
    "extend of other": (None, STALE),
    "success": (S.SUCCEEDED, ENDED),
    "failure": (S.QUEUED, RETRY),
    "success of other": (None, STALE),
    "release": (S.QUEUED, RETRY),
    "release of other": (None, STALE),
    "loss": (S.QUEUED, RETRY),
    "loss of other": (None, STALE),
    "abort": (S.ABORTED, STOPPED),
}
RETRY_AGAIN: dict[str, Expected] = {
    "success": (None, RETRY),
    "failure": (None, RETRY),
    "release": (None, STALE),
}

TABLE: dict[str, dict[str, Expected]] = {
    "new": {
        **IN_THE_END,
        **NEVER_CLAIMED,
        "claim": (S.RUNNING, RUN),
        "claim again": (S.RUNNING, RUN),
        "claim of next generation": (S.RUNNING, RUN),
        "abort": (S.ABORTED, ENDED),
        "give up": (S.FAILED, ENDED),
        "subscribe": (S.QUEUED, ()),
    },
    "released": {**QUEUED, **NEVER_CLAIMED, "release": (None, RETRY)},
    "backoff": {
        **QUEUED,
        **RETRY_AGAIN,
        "claim": (None, (Postpone,)),
        "claim again": (None, (Postpone,)),
        "give up": (None, RETRY),
    },
    "backoff over": {**QUEUED, **RETRY_AGAIN},
    "running": {
        **RUNNING,
        "claim": (None, (Postpone,)),
        "claim again": (None, RUN),
        "give up": (None, RETRY),
    },
    "lease expired": {
        **RUNNING,
        "claim": (S.RUNNING, RUN),
        "claim again": (None, RUN),
        "give up": (S.FAILED, STOPPED),
    },
    "succeeded": {
        **IN_THE_END,
        **replied(ENDED),
        "claim of next generation": (None, ENDED),
        "success": (None, ENDED),
        "failure": (None, ENDED),
        "loss": (None, ENDED),
    },
    "failed": {
        **IN_THE_END,
        **replied(STOPPED),
        "claim of next generation": (S.RUNNING, RUN),
        "success": (None, STOPPED),
        "failure": (None, STOPPED),
        "loss": (None, STOPPED),
    },
    "aborted": {
        **IN_THE_END,
        **NEVER_CLAIMED,
        **replied(STOPPED),
        "claim of next generation": (S.RUNNING, RUN),
    },
    "tombstone": {
        **IN_THE_END,
        **NEVER_CLAIMED,
        **replied(ENDED),
        "claim of next generation": (S.RUNNING, RUN),
    },
    "timed out": {
        **IN_THE_END,
        **NEVER_CLAIMED,
        **replied(ENDED),
        "claim of next generation": (S.RUNNING, RUN),
    },
}

CELLS = [(state, command) for state in STATES for command in COMMANDS]


@pytest.mark.parametrize(("state", "command"), CELLS)
def test_each_command_in_each_state_does_what_the_table_says(state: str, command: str) -> None:
    record, now = STATES[state]()
    decision = decide(record, COMMANDS[command], now)
    status, effects = TABLE[state][command]
    assert (decision.record and decision.record.status) == status
    assert tuple(kinds(decision)) == effects


@pytest.mark.parametrize(("state", "command"), CELLS)
def test_what_is_written_grows_the_version_by_one(state: str, command: str) -> None:
    record, now = STATES[state]()
    written = decide(record, COMMANDS[command], now).record
    if written is not None:
        assert written.version == (record.version if record else 0) + 1


REPEATED = [cell for cell in CELLS if not cell[1].startswith("extend")]
"""Extending is the exception: each extension is a new one, and writes."""


@pytest.mark.parametrize(("state", "command"), REPEATED)
def test_a_repeated_command_has_the_same_effects_and_writes_nothing(state: str, command: str) -> None:
    record, now = STATES[state]()
    first = decide(record, COMMANDS[command], now)
    again = decide(first.record or record, COMMANDS[command], now)
    assert again.record is None
    assert again.effects == first.effects


def test_the_table_is_whole() -> None:
    assert {(state, command) for state, row in TABLE.items() for command in row} == set(CELLS)
