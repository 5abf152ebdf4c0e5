"""The checks of the fault harness see what they are there for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from random import Random

from bench.faults import checks
from bench.faults.ledger import Ledger
from bench.faults.notes import Note
from bench.faults.programs import ENTER, LEAVE
from bench.faults.strikes import SHARE_OF_SINGLES, draw_plan, port_kinds
from bench.faults.virtual_time import LoopClock, VirtualTimeLoop
from tests.unit.core.actions import spec

from upwell._core.commands import Claim, Finish
from upwell._core.decide import decide
from upwell._core.model import ActionKey, ActionRecord, Executor, Lease, Outcome, Payload, Status

RUN_ID = "run"


def claimed(number: int, at: float, before: ActionRecord | None = None) -> ActionRecord:
    lease = Lease(id=f"lease-{number}", expires_at=at + 30)
    executor = Executor(kind="worker", id=f"process-{number}")
    action = spec(queued_at=at)
    record = decide(before, Claim(spec=action, executor=executor, lease=lease), at).record
    assert record is not None
    return record


def finished(record: ActionRecord, at: float) -> ActionRecord:
    assert record.lease is not None
    outcome = Outcome(status=Status.SUCCEEDED, output=Payload(text="1", size_bytes=1))
    ended = decide(record, Finish(lease_id=record.lease.id, outcome=outcome), at).record
    assert ended is not None
    return ended


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    async def sleep(self, delay_s: float) -> None:
        self.at += delay_s


def test_a_second_outcome_is_seen_as_it_is_written() -> None:
    ledger = Ledger(Hand())
    first = claimed(1, 0)
    ledger.saved(first)
    ledger.saved(finished(first, 1))
    assert ledger.wrong == []
    ledger.saved(replace(finished(first, 2), version=9))
    assert ledger.wrong == ["child was SUCCEEDED and became SUCCEEDED"]


def test_a_side_effect_counts_twice_only_under_valid_leases() -> None:
    clock = Hand()
    ledger = Ledger(clock)
    ledger.saved(claimed(1, 0))
    ledger.notes += [Note("child", 1, 5, "process-1"), Note("child", 1, 50, "process-1")]
    assert list(checks.check_side_effects(ledger, RUN_ID)) == []
    ledger.notes.append(Note("child", 1, 6, "process-1"))
    (wrong,) = checks.check_side_effects(ledger, RUN_ID)
    assert "2 times" in wrong


def test_more_at_once_than_a_limit_allows_are_seen() -> None:
    ledger = Ledger(Hand())
    for number, name in enumerate(["one", "two"]):
        record = claimed(number, 0)
        ledger.saved(replace(record, spec=replace(record.spec, action_id=name)))
        ledger.notes += [Note(name, 1, at, f"process-{number}", what) for at, what in ((1, ENTER), (9, LEAVE))]
    task = ledger.task_of(ActionKey(RUN_ID, "one"))
    assert list(checks.check_limits(ledger, RUN_ID, {task: 2})) == []
    assert len(list(checks.check_limits(ledger, RUN_ID, {task: 1}))) == 1


def test_children_that_outlive_their_parent_are_seen() -> None:
    child = finished(claimed(1, 0), 500)
    parent = replace(finished(claimed(2, 0), 10), spec=replace(child.spec, action_id="a0", parent_id=None))
    assert list(checks.check_children([parent, child], patience_s=600)) == []
    (wrong,) = checks.check_children([parent, child], patience_s=100)
    assert "490 s after its parent" in wrong
    (open_for_good,) = checks.check_ends(Ledger(Hand()), [claimed(1, 0)])
    assert "RUNNING for good" in open_for_good


def test_a_wrong_result_is_seen() -> None:
    leaf = {"kind": "leaf", "n": 7}
    outcome = Outcome(status=Status.SUCCEEDED, output=Payload(text="7", size_bytes=1))
    assert list(checks.check_result(leaf, outcome, 7)) == []
    assert list(checks.check_result(leaf, outcome, 8)) == ["gave 8, expected 7"]
    fails = {**leaf, "ends": "error"}
    assert list(checks.check_result(fails, outcome, 7)) == ["gave 7, expected the error LookupError"]


def test_plans_have_every_kind_of_strike_and_single_ones() -> None:
    plans = [draw_plan(Random(seed)) for seed in range(2000)]
    planned = {strike.kind(label) for plan in plans for (label, _), strike in plan.strikes.items()}
    assert planned <= set(port_kinds())
    assert {kind for kind in port_kinds() if kind.startswith(("kill", "throw", "stall"))} == planned
    singles = [p for p in plans if len(p.strikes) == 1 and not p.drains_at_s and not p.duplicates]
    assert len(singles) > 2000 * SHARE_OF_SINGLES / 2


def test_time_passes_only_while_nothing_happens(tmp_path: Path) -> None:
    loop = VirtualTimeLoop()

    async def wait_long() -> float:
        clock = LoopClock(loop)
        begun = clock.now()
        await asyncio.gather(clock.sleep(86_400), asyncio.to_thread(tmp_path.exists))
        return clock.now() - begun

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert 86_400 <= runner.run(wait_long()) < 86_401
