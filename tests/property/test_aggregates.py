"""Aggregates say the same of a run however its changes are delivered, and what its actions themselves say."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upwell._core.aggregate_form import dump_aggregates, load_aggregates
from upwell._core.aggregates import KEPT, LEVEL_KINDS, RUN_KINDS, Aggregates, Facts
from upwell._core.fold import Ledger, Move, fold_moves
from upwell._core.histogram import percentile
from upwell._core.load_curve import STRETCHES_MAX, load_of

BEGIN_MS = 1_800_000_000_000
WITHIN = 1.05
"""What a percentile may be off by: half a bucket."""


@st.composite
def lives(draw: st.DrawFn) -> list[list[Facts]]:
    """What some actions were: claimed, perhaps ended, perhaps gone on with and ended anew."""
    found = []
    for number in range(draw(st.integers(1, 12))):
        queued = BEGIN_MS + draw(st.integers(0, 10**7))
        started = queued + draw(st.integers(0, 10**4))
        ended = started + draw(st.integers(0, 10**6))
        begun = Facts(
            action_id=f"a{number}",
            task=draw(st.sampled_from(["env.f", "env.g"])),
            group=draw(st.sampled_from(["", "nightly"])),
            level=draw(st.sampled_from(["", "p1"])),
            shard=draw(st.integers(0, 3)),
            status="RUNNING",
            queued_ms=queued,
            started_ms=started,
            ended_ms=None,
            cached=False,
        )
        states = [begun]
        if draw(st.booleans()):
            status = draw(st.sampled_from(["SUCCEEDED", "FAILED", "ABORTED"]))
            states.append(replace(begun, status=status, ended_ms=ended, hits={"env.h": 2}))
            if status == "FAILED" and draw(st.booleans()):
                states.append(replace(begun, hits={"env.h": 2}))
                states.append(replace(states[1], status="SUCCEEDED", ended_ms=ended + 7))
        found.append(states)
    return found


def moves_of(states_by_action: list[list[Facts]], lanes: int, chance: random.Random) -> dict[str, list[Move]]:
    """Return the stream of each lane: the changes of one action in order, those of others between them."""
    left = [
        [(before, after) for before, after in zip([None, *states], states, strict=False)]
        for states in states_by_action
    ]
    found: dict[str, list[Move]] = {str(lane): [] for lane in range(lanes)}
    sequence = 10**20
    while any(left):
        number = chance.choice([n for n, changes in enumerate(left) if changes])
        before, after = left[number].pop(0)
        sequence += chance.randint(1, 10**6)
        move = Move(
            run_id="r1", lane=str(number % lanes), sequence_id=str(sequence), before=before, after=after
        )
        found[move.lane].append(move)
    return found


def delivered(moves: list[Move], chance: random.Random) -> Ledger:
    """Return what becomes of changes that come in batches: some twice, some late, some too early."""
    batches = []
    left = list(moves)
    while left:
        size = chance.randint(1, 4)
        batches.append(left[:size])
        left = left[size:]
    batches += chance.sample(batches, chance.randint(0, len(batches)))
    chance.shuffle(batches)
    ledger = Ledger()
    for batch in batches:
        stored = Ledger(  # as it is in a table meanwhile
            aggregates=load_aggregates(dump_aggregates(ledger.aggregates)),
            floor=ledger.floor,
            recent=ledger.recent,
        )
        ledger = fold_moves(stored, batch)
    return ledger


def content(aggregates: Aggregates) -> str:
    """Return what aggregates say, in an order that is always the same."""
    merged = Aggregates()
    merged.add(load_aggregates(dump_aggregates(aggregates)))
    merged.counts = {task: dict(sorted(by.items())) for task, by in sorted(merged.counts.items())}
    merged.kinds = dict(sorted(merged.kinds.items()))
    for kind in merged.kinds.values():
        kind.counts = dict(sorted(kind.counts.items()))
        kind.lengths = dict(sorted(kind.lengths.items()))
        kind.slowest = dict(sorted(kind.slowest.items()))
        kind.failed = dict(sorted(kind.failed.items()))
    return dump_aggregates(merged)


@settings(max_examples=60, deadline=None)
@given(lives(), st.integers(1, 3), st.randoms(use_true_random=False))
def test_changes_that_come_twice_late_and_out_of_order_are_each_taken_in_once(
    states: list[list[Facts]], lanes: int, chance: random.Random
) -> None:
    streams = moves_of(states, lanes, chance)
    once, found = Aggregates(), Aggregates()
    for moves in streams.values():
        once.add(fold_moves(Ledger(), moves).aggregates)
        found.add(delivered(moves, chance).aggregates)
    assert content(found) == content(once)


@settings(max_examples=60, deadline=None)
@given(lives(), st.randoms(use_true_random=False))
def test_they_say_what_the_actions_say(states: list[list[Facts]], chance: random.Random) -> None:
    (moves,) = moves_of(states, 1, chance).values()
    found = delivered(moves, chance).aggregates
    now = [each[-1] for each in states]
    hits = sum(2 for facts in now if facts.hits)
    counts = Counter((facts.task, facts.status) for facts in now)
    if hits:
        counts["env.h", "SUCCEEDED"] += hits
    assert {(task, status): n for task, by in found.counts.items() for status, n in by.items() if n} == counts
    for (level, task, group), kind in found.kinds.items():
        mine = [f for f in now if (f.task, f.group) == (task, group) and level in ("", f.level)]
        assert task == "env.h" or kind.total == len(mine)
        lengths = sorted(f.length_ms / 1000 for f in mine if f.length_ms is not None)
        for share in (0.5, 0.9, 0.99):
            told = percentile(kind.lengths, share, kind.longest_ms / 1000)
            true = lengths[max(1, -int(-share * len(lengths) // 1)) - 1] if lengths else 0.0
            assert told == 0.0 == true or true / WITHIN <= told <= true * WITHIN or max(told, true) < 1e-5
    load = load_of(found.curve, BEGIN_MS + 2 * 10**7, STRETCHES_MAX)
    assert sum(load.ended) == sum(f.ended_ms is not None for f in now)
    assert sum(load.failed) == sum(f.status in ("FAILED", "ABORTED") for f in now)
    until_s = load.start + len(load.running) * load.stretch_s
    ran_s = sum((f.ended_ms / 1000 if f.ended_ms else until_s) - (f.started_ms or 0) / 1000 for f in now)
    assert sum(load.running) * load.stretch_s == pytest.approx(ran_s, rel=1e-6, abs=1e-3)
    waited_s = sum((f.started_ms or 0) - f.queued_ms for f in now) / 1000
    assert sum(load.queued) * load.stretch_s == pytest.approx(waited_s, rel=1e-6, abs=1e-3)


def ended(number: int, length_ms: int, **other: str) -> Facts:
    at = BEGIN_MS + 1000 * number
    facts = Facts(
        action_id=f"a{number}",
        task="env.f",
        group="",
        level="",
        shard=1,
        status="FAILED",
        queued_ms=at,
        started_ms=at,
        ended_ms=at + length_ms,
        cached=False,
    )
    return replace(facts, **other)  # type: ignore[arg-type]  # texts alone


def test_a_million_changes_take_no_more_room_than_a_thousand() -> None:
    few, many = Aggregates(), Aggregates()
    for number in range(20_000):
        facts = ended(number, 1 + number % 5000)
        many.change(None, facts)
        if number < 1000:
            few.change(None, facts)
    assert len(many.curve.stretches) <= STRETCHES_MAX
    assert len(dump_aggregates(many)) < 1.6 * len(dump_aggregates(few))


def test_the_slowest_and_those_that_failed_last_are_known_by_name() -> None:
    aggregates = Aggregates()
    for number in range(100):
        aggregates.change(None, ended(number, 10_000 - number))
    (kind,) = aggregates.kinds.values()
    assert sorted(kind.slowest) == sorted(f"a{n}" for n in range(KEPT))
    assert sorted(kind.failed) == sorted(f"a{n}" for n in range(100 - KEPT, 100))


def test_kinds_without_a_place_of_their_own_are_counted_with_others() -> None:
    aggregates = Aggregates()
    for number in range(4 * RUN_KINDS):
        facts = ended(number, 5, group=f"g{number}", level=f"p{number}")
        aggregates.change(None, facts)
    for number in range(2 * RUN_KINDS, 4 * RUN_KINDS):
        aggregates.change(None, ended(4 * RUN_KINDS + number, 5, task=f"t{number}"))
    assert sum(kind.total for (level, _, _), kind in aggregates.kinds.items() if not level) == 6 * RUN_KINDS
    assert len(aggregates.kinds) <= 2 * RUN_KINDS + 1 + LEVEL_KINDS
    assert aggregates.levels_left_out
