"""Advice: given where the measurements carry it, not a step below, and never on a healthy run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.unit.core.profiles import profiled, ran

from upwell._core.advice import advise
from upwell._core.advice_case import Advice
from upwell._core.model import ActionRecord, Executor, Limit, Payload
from upwell._core.phases import Waits

Calls = list[ActionRecord]
WORKER = Executor(kind="worker", id="w1")
SAME = Payload(text='{"x":1}', size_bytes=7)
VALUE = Payload(text='{"value":2}', size_bytes=11)


def at_once(n: int, run: float) -> Calls:
    return [ran(f"c{i}", at=0.0, run=run, executor=Executor(kind="local", id=f"p{i}")) for i in range(n)]


def in_a_row(n: int, run: float) -> Calls:
    return [ran(f"c{i}", at=i * (run + 0.006), run=run) for i in range(n)]


def on_lambdas(n: int, start: float, run: float = 0.5) -> Calls:
    return [
        ran(f"c{i}", at=0.0, start=start, run=run, executor=Executor(kind="lambda", id=f"l{i}"))
        for i in range(n)
    ]


def in_slots(n: int, slots: int, run: float = 0.2, executor: Executor = WORKER) -> Calls:
    each = run + 0.004
    return [
        ran(
            f"c{i}",
            at=0.0,
            queued=0.001 + (i // slots) * (each + 0.001),
            waits=Waits(slot_s=(i // slots) * each),
            run=run,
            executor=executor,
        )
        for i in range(n)
    ]


def alike(n: int, different: int, results_differ: bool = False) -> Calls:
    return [
        ran(
            f"c{i}",
            at=i * 0.3,
            run=0.25,
            inputs=SAME if i < n else None,
            result=None if results_differ else VALUE,
        )
        for i in range(n + different)
    ]


def large(size: int, move: float) -> Calls:
    big = Payload(blob="b", size_bytes=size)
    return [ran(f"c{i}", at=i * 1.0, run=0.2, input=move, output=move, inputs=big) for i in range(3)]


def kinds(children: Calls) -> set[str]:
    return {one.kind for one in advise(profiled(children))}


@pytest.mark.parametrize(
    ("kind", "carries", "is_just_below"),
    [
        ("batch", lambda: at_once(20, 0.01), lambda: at_once(19, 0.01)),
        ("batch", lambda: at_once(200, 0.03), lambda: at_once(200, 0.051)),
        ("trace", lambda: in_a_row(10, 0.004), lambda: in_a_row(9, 0.004)),
        ("trace", lambda: in_a_row(30, 0.004), lambda: in_a_row(30, 0.006)),
        ("reuse", lambda: on_lambdas(3, 0.2), lambda: on_lambdas(2, 0.2)),
        ("reuse", lambda: on_lambdas(10, 0.13), lambda: on_lambdas(10, 0.12)),
        ("concurrency", lambda: in_slots(22, 2), lambda: in_slots(21, 2)),
        ("cache", lambda: alike(6, 6), lambda: alike(5, 6)),
        ("cache", lambda: alike(6, 6), lambda: alike(6, 6, results_differ=True)),
        ("reference", lambda: large(8_400_000, 0.001), lambda: large(8_300_000, 0.001)),
        ("reference", lambda: large(200_000, 0.051), lambda: large(200_000, 0.049)),
        ("reference", lambda: large(100_001, 0.06), lambda: large(99_999, 0.06)),
    ],
)
def test_advice_is_given_from_its_threshold_on(
    kind: str, carries: Callable[[], Calls], is_just_below: Callable[[], Calls]
) -> None:
    assert kind in kinds(carries())
    assert kind not in kinds(is_just_below())


@pytest.mark.parametrize(
    "calls",
    [
        [ran(f"c{i}", at=0.0, run=5.0) for i in range(100)],
        [ran(f"c{i}", at=i * 1.1, run=1.0) for i in range(50)],
        on_lambdas(50, 0.0, run=2.0),
        [ran("c0", at=0.0, run=0.0001)],
        [],
    ],
    ids=["fan-out", "chain", "warm", "single", "alone"],
)
def test_a_healthy_run_gets_none(calls: Calls) -> None:
    assert advise(profiled(calls)) == []


def test_what_is_not_worth_a_share_of_the_run_is_not_said() -> None:
    # The same calls that carry advice by themselves, beside an hour of work.
    assert kinds([*at_once(20, 0.039), ran("long", at=0.0, task="env.long", run=3600.0)]) == set()


def test_a_task_that_makes_calls_is_not_to_be_batched_or_traced() -> None:
    parents = [ran(f"c{i}", at=0.0, run=0.01, waits=Waits(waiting_s=0.006)) for i in range(30)]
    children = [
        ran(f"g{i}", at=0.004, run=0.001, parent=f"c{i}", task="env.leaf", queued=0.0) for i in range(30)
    ]
    assert all(one.task != "env.child" for one in advise(profiled([*parents, *children])))


def test_a_task_whose_results_are_kept_is_no_case_for_a_trace() -> None:
    cached = [ran(f"c{i}", at=i * 0.01, run=0.002, cache_key="k") for i in range(30)]
    assert "trace" not in kinds(cached)


def only(children: Calls, kind: str) -> Advice:
    (one,) = [one for one in advise(profiled(children)) if one.kind == kind]
    return one


def test_a_batch_size_makes_the_runtime_ten_times_the_overhead() -> None:
    one = only(at_once(200, 0.01), "batch")
    assert one.evidence["batch_size"] == 5  # 10 x 5 ms of overhead, 10 ms of runtime
    assert "about 5 items" in one.text
    assert one.saves_usd > 160 * 1e-6  # 160 actions fewer


def test_a_batch_is_no_larger_than_the_calls_there_are() -> None:
    assert only(at_once(25, 0.00005), "batch").evidence["batch_size"] == 25


def test_a_map_that_sizes_its_batches_is_not_told_to_batch() -> None:
    items = [replace(call, spec=replace(call.spec, items=3)) for call in at_once(200, 0.01)]
    assert "batch" not in kinds(items)


def test_a_saving_of_the_run_is_what_lies_on_its_critical_path() -> None:
    one = only(in_a_row(30, 0.004), "trace")
    assert 0 < one.saves_wall_s <= 30 * 0.006
    reused = only(on_lambdas(10, 0.3), "reuse")
    assert reused.saves_wall_s == pytest.approx(0.3)  # they start at the same time
    assert reused.saves_busy_s == pytest.approx(3.0)
    assert reused.saves_usd > 0


def test_a_limit_of_the_program_is_named() -> None:
    limit = Limit(scope="task:env.child", places=2)
    calls = [
        ran(
            f"c{i}",
            at=0.0,
            queued=0.001 + (i // 2) * 0.205,
            waits=Waits(slot_s=(i // 2) * 0.2),
            run=0.2,
            limits=(limit,),
        )
        for i in range(30)
    ]
    one = only(calls, "concurrency")
    assert "max_concurrency= of task:env.child from 2 to 4" in one.text


def test_a_laptop_without_limits_is_not_told_to_raise_concurrency() -> None:
    assert "concurrency" not in kinds(in_slots(40, 2, executor=Executor(kind="local", id="here")))
