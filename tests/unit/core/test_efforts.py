"""What a run's actions took: folded of a stream, it is what all records together say."""

from __future__ import annotations

import random
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.core.profiles import LATER, ran

from upwell._client.cost_document import cost_document
from upwell._client.profile_document import profile_document
from upwell._core.advice import advise
from upwell._core.aggregate_form import dump_aggregates, load_aggregates
from upwell._core.aggregates import Aggregates, Facts, all_facts_of
from upwell._core.cost import cost_of, efforts_of
from upwell._core.critical_path import critical_path
from upwell._core.effort import Amounts, Effort, Heard, Try, effort_of
from upwell._core.efforts import INPUTS_KEPT, OTHERS, TASKS_MAX, Efforts, Repeats
from upwell._core.fold import Ledger, Move, fold_moves
from upwell._core.model import ActionRecord, Executor, Limit, Outcome, Payload, RunRecord, Status
from upwell._core.phases import Noticed, Waits
from upwell._core.profile import Spread, late_s, profile_of
from upwell._core.timeline import spans_of

LANES = 4


def a_life(rng: random.Random, number: int) -> list[ActionRecord]:
    """Return the records of an action, from its claim to its end, or to where it is now."""
    slot_s = rng.choice([0.0, 0.0, rng.uniform(0, 2)])
    task = f"env.t{rng.randrange(3)}"
    over = ran(
        f"c{number}",
        at=rng.uniform(0, 100),
        task=task,
        queued=slot_s + rng.uniform(0, 0.05),
        start=rng.choice([0.0, rng.uniform(0, 3)]),
        input=rng.expovariate(20),
        run=rng.expovariate(2),
        output=rng.expovariate(50),
        waits=Waits(slot_s=slot_s, shared_s=rng.uniform(0, 0.01)),
        executor=Executor(kind=rng.choice(["lambda", "worker"]), id=f"e{rng.randrange(5)}"),
        inputs=Payload(text=f'{{"x":{rng.randrange(20)}}}', size_bytes=rng.choice([10, 60_000])),
        result=Payload(text="1", size_bytes=rng.choice([1, 300])),
        limits=(Limit(scope=f"task:{task}", places=2),) if task == "env.t1" else (),
    )
    attempt = over.attempts[0]
    claimed = replace(
        over,
        status=Status.RUNNING,
        version=1,
        ended_at=None,
        outcome=None,
        attempts=(replace(attempt, ended_at=None, end="", phases=()),),
    )
    failed = replace(
        claimed,
        status=Status.QUEUED,
        version=2,
        attempts=(replace(attempt, end="failed"),),
    )
    lives = [[claimed, over], [claimed, failed], [claimed, failed, replace(over, version=4)], [claimed]]
    gone_on = replace(claimed, version=3, generation=2)  # a recovery runs what had ended
    return [*rng.choice(lives), gone_on] if rng.random() < 0.1 else rng.choice(lives)


def moves(rng: random.Random, lives: list[list[ActionRecord]]) -> Iterator[Move]:
    """Yield the changes of actions, those of all lanes mixed, each in the order of its action."""
    left = [list(life) for life in lives]
    places, seen = defaultdict[str, int](int), dict[str, ActionRecord]()
    while left:
        life = rng.choice(left)
        record = life.pop(0)
        left = [one for one in left if one]
        name = record.spec.action_id
        lane = f"{zlib.crc32(name.encode()) % LANES:x}"
        places[lane] += 1
        before = seen.get(name)
        yield Move(
            run_id="run",
            lane=lane,
            sequence_id=str(1000 + places[lane]),
            before=None if before is None else all_facts_of(before),
            after=all_facts_of(record),
        )
        seen[name] = record


def folded(rng: random.Random, changes: list[Move]) -> Efforts:
    """Fold changes as a stream delivers them: in batches, late, out of order, and some of them again."""
    late = sorted(range(len(changes)), key=lambda place: place + rng.uniform(0, 40))
    order = [changes[place] for place in late]
    ledgers: dict[str, Ledger] = defaultdict(Ledger)
    for start in range(0, len(order), 17):
        batch = order[max(0, start - rng.randrange(30)) : start + 17]
        for lane in {move.lane for move in batch}:
            ledger = fold_moves(ledgers[lane], [move for move in batch if move.lane == lane])
            kept = load_aggregates(dump_aggregates(ledger.aggregates))
            ledgers[lane] = replace(ledger, aggregates=kept)
    found = Aggregates()
    for ledger in ledgers.values():
        found.add(ledger.aggregates)
    assert found.efforts.actions == sum(sum(by_status.values()) for by_status in found.counts.values())
    return found.efforts


def documents(run: RunRecord, efforts: Efforts, records: list[ActionRecord]) -> list[dict[str, Any]]:
    path = critical_path(records, late_s(efforts), {})
    profile = profile_of(run, efforts, path, LATER)
    return [
        _without_spreads(profile_document(profile, advise(profile), "succeeded")),
        cost_document("run", "aws", cost_of(run, efforts, LATER)),
    ]


@pytest.mark.parametrize("seed", range(8))
def test_what_is_folded_is_what_the_records_say_whatever_the_stream_does(seed: int) -> None:
    rng = random.Random(seed)
    root = ran(
        "a0",
        at=0.0,
        task="env.root",
        parent=None,
        run=120.0,
        noticed=tuple(Noticed(f"env.t{n}", 60, 1.0, 0.5) for n in range(3)),
        waits=Waits(waiting_s=100.0),
    )
    root = replace(root, hits={"env.t0": 7})
    lives = [[root], *(a_life(rng, number) for number in range(150))]
    run = RunRecord(
        spec=root.spec.run,
        task="env.root",
        status=Status.SUCCEEDED,
        root=root.spec,
        ended_at=root.ended_at,
        outcome=Outcome(status=Status.SUCCEEDED),
    )
    records = [life[-1] for life in lives]
    efforts, whole = folded(rng, list(moves(rng, lives))), efforts_of(records)
    assert lengths(efforts) == lengths(whole)
    found, expected = documents(run, efforts, records), documents(run, whole, records)
    assert found == expected
    assert found[0]["tasks"][0]["actions"]


def lengths(efforts: Efforts) -> dict[Any, Any]:
    return {
        (*key, name): (one.sum_us, {bucket: n for bucket, n in one.buckets.items() if n})
        for key, task in efforts.tasks.items()
        for name, one in task.lengths.items()
    }


def _without_spreads(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a maximum bounds: one of an attempt whose record began anew is not taken off."""
    for task in document["tasks"]:
        del task["runtime_s"], task["phases_s"]
    return document


def test_percentiles_are_those_of_all_lengths_to_a_bucket() -> None:
    rng = random.Random(1)
    records = [a_life(rng, number)[-1] for number in range(500)]
    run_s = [span.own_s for span in spans_of(records) if span.task == "env.t0"]
    tasks = efforts_of(records).tasks
    (lengths,) = [task.lengths["own"] for (name, _), task in tasks.items() if name == "env.t0"]
    exact, told = Spread.of(run_s), Spread.of_lengths(lengths)
    assert told[:3] == pytest.approx(exact[:3], rel=0.0451)
    assert told[3:] == pytest.approx(exact[3:], abs=1e-4)


def test_repeated_inputs_are_counted_or_estimated_from_a_sample() -> None:
    few = efforts_of([call(n % 10) for n in range(100)]).tasks["env.child", "default"].repeats
    assert few.again(100) == 90
    many = efforts_of([call(n % 4000) for n in range(12_000)]).tasks["env.child", "default"].repeats
    assert len(many.inputs) == INPUTS_KEPT
    assert many.again(12_000) == 8000
    lanes = Repeats()
    for part in range(4):
        lanes.add(efforts_of([call(n % 40) for n in range(part, 120, 4)]).tasks["env.child", "default"].repeats)
    whole = efforts_of([call(n % 40) for n in range(120)]).tasks["env.child", "default"].repeats
    assert lanes.inputs == whole.inputs


def call(number: int) -> ActionRecord:
    inputs, result = (Payload(text=text, size_bytes=len(text)) for text in (str(number), "1"))
    return ran("c", at=0.0, inputs=inputs, result=result)


def test_aggregates_have_a_size_of_their_own() -> None:
    found = Aggregates()
    rng = random.Random(2)
    for number in range(3000):
        record = a_life(rng, number)[-1]
        spec = replace(record.spec, task=replace(record.spec.task, name=f"env.t{number % 60}"))
        found.change(None, all_facts_of(replace(record, spec=spec)))
    assert len(found.efforts.tasks) <= TASKS_MAX + 1
    assert found.efforts.tasks[OTHERS, ""].amounts.actions == 3000 * (60 - TASKS_MAX) // 60
    assert found.efforts.actions == 3000
    assert len(zlib.compress(dump_aggregates(found).encode(), 9)) < 60_000
    assert len(zlib.compress(dump_aggregates(one_task()).encode(), 9)) < 4096


def one_task() -> Aggregates:
    found, rng = Aggregates(), random.Random(3)
    for number in range(2000):
        record = a_life(rng, number)[-1]
        spec = replace(record.spec, task=replace(record.spec.task, name="env.child"))
        found.change(None, all_facts_of(replace(record, spec=spec)))
    return found


FACTS_WITHOUT = Facts(
    action_id="a1",
    task="env.f",
    group="",
    level="",
    shard=0,
    status="RUNNING",
    queued_ms=1000000,
    started_ms=1000500,
    ended_ms=None,
    cached=False,
)
AGGREGATES_WITHOUT = (
    '{"counts":{"env.f":{"RUNNING":1}},"kinds":[["","env.f","",{"RUNNING":1},0,{},'
    '[0,1000000,0,0,0],{},{}]],"left_out":0,"curve":[4,62500,[[0,1,16,0,0,0,0],[31,-1,-12,1,12,0,0]]]}'
)


def test_what_older_versions_left_has_no_efforts_and_takes_in_more() -> None:
    found = load_aggregates(AGGREGATES_WITHOUT)
    assert found.efforts == Efforts()
    over = ran("a1", at=0.0, task="env.f")
    found.change(FACTS_WITHOUT, all_facts_of(over))
    found.change(None, all_facts_of(ran("a2", at=0.0, task="env.f")))
    assert found.counts["env.f"]["SUCCEEDED"] == 2
    assert load_aggregates(dump_aggregates(found)).efforts.tasks["env.f", "default"].amounts.ended == 2


def test_another_form_counts_as_nothing_so_that_the_run_is_read() -> None:
    found = Aggregates()
    found.change(None, all_facts_of(ran("a1", at=0.0)))
    text = dump_aggregates(found).replace('"form":2', '"form":1')
    assert load_aggregates(text).efforts == Efforts()
    assert load_aggregates(text).counts == found.counts


def test_what_an_action_took_in_numbers() -> None:
    noticed, waits = (Noticed("env.g", 2, 0.5, 0.25),), Waits(waiting_s=0.05)
    amounts = (1, 1, 0, 0, 2, 1, 1, 14, 0, 0, 0, 0, 104000, 0, 1, 1, 105000, 1, 1, 1, 54000, 4000, 5000, 1)
    lengths = (50000, 0, 1000, 0, 1000, 0, 1000, 100000, 1000, 1000)
    assert effort_of(ran("a1", at=0.0, task="env.f", noticed=noticed, waits=waits)) == Effort(
        "default",
        Amounts(*amounts, 0, 0, 0, 0, 0, 0, sized=1, sized_bytes=713),
        (Try(1000001, 1000105, False, lengths),),
        (Heard("env.g", 2, 500000, 250000, 50000),),
        largest_bytes=14,
        inline_bytes=10485760,
        repeatable=(516082379312, 12390237),
    )
