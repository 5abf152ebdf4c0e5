"""Where the time of a run went, from its records."""

from __future__ import annotations

import pytest
from tests.unit.core.profiles import LATER, T0, a_run, profiled, ran

from upwell._core.critical_path import by_phase
from upwell._core.model import Executor
from upwell._core.phases import Noticed
from upwell._core.profile import Spread, TaskProfile, profile_of
from upwell._core.timeline import loads_of, spans_of

LAMBDA = Executor(kind="lambda", id="l-1")


def task_of(profile_tasks: tuple[TaskProfile, ...], name: str) -> TaskProfile:
    return next(task for task in profile_tasks if task.task == name)


def test_percentiles_are_of_the_nearest_rank() -> None:
    assert Spread.of([float(n) for n in range(1, 101)]) == (50, 90, 99, 100, 5050)
    assert Spread.of([3.0]) == (3, 3, 3, 3, 3)
    assert Spread.of([]) == (0, 0, 0, 0, 0)


def test_a_task_has_counts_runtimes_phases_and_its_overhead() -> None:
    noticed = (Noticed("env.child", 4, 0.02, 0.01),)
    profile, _ = profiled([ran(f"c{n}", at=1.0 * n, run=0.1 * (n + 1)) for n in range(4)], noticed=noticed)
    child = task_of(profile.tasks, "env.child")
    assert (child.actions, child.attempts, child.measured, child.failed) == (4, 4, 4, 0)
    assert child.runtime.max == pytest.approx(0.4)
    assert child.phases["claim"].sum == pytest.approx(0.004)
    assert child.overhead_s == pytest.approx(0.005 + 0.005)  # its own, and what its parent took to notice
    assert child.overhead_ratio == pytest.approx(0.010 / 0.25)


def test_a_parents_runtime_leaves_out_its_waits_for_children() -> None:
    profile, _ = profiled([ran("c0", at=0.5, run=1.0), ran("c1", at=1.0, run=1.0)])
    root = task_of(profile.tasks, "env.root")
    assert root.phases["run"].sum == pytest.approx(2.005 - 0.001)
    assert root.runtime.sum == pytest.approx(2.004 - 1.505)  # the two overlap


def test_shares_add_up() -> None:
    profile, _ = profiled([ran(f"c{n}", at=n, executor=LAMBDA) for n in range(3)], executor=LAMBDA)
    assert sum(task.cost_share for task in profile.tasks) == pytest.approx(1)
    assert profile.usd > sum(task.usd for task in profile.tasks) > 0  # the run itself has a price
    child = task_of(profile.tasks, "env.child")
    assert child.usd == pytest.approx(3 * child.usd_per_action + 3 * 0.104 * child.usd_per_s)


def test_attempts_at_the_same_time_share_their_executor() -> None:
    profile, _ = profiled([ran(f"c{n}", at=0.0, run=1.0) for n in range(10)])
    assert sum(span.busy_s for span in profile.spans if span.is_leaf) == pytest.approx(1.004, abs=1e-3)


def test_records_of_older_code_have_a_queue_and_a_run_alone() -> None:
    profile, _ = profiled([ran("c0", at=0.0, queued=0.5, run=1.0, measured=False)])
    child = task_of(profile.tasks, "env.child")
    assert (child.attempts, child.measured) == (1, 0)
    assert child.runtime.sum == pytest.approx(1.004)
    assert child.overhead_s == 0


# --- slots ---


def test_the_wait_for_a_slot_is_not_the_time_that_enqueueing_takes() -> None:
    one_by_one = [ran(f"c{n}", at=0.0, queued=0.01 + 1.02 * n, run=1.0) for n in range(5)]
    spans = [span for span in spans_of(a_run(one_by_one)[1]) if span.is_leaf]
    assert loads_of(spans)["default"].peak == 1
    waits = [span.slot_wait_s for span in spans]
    assert waits[0] == 0
    assert waits[1:] == pytest.approx([1.014 + 1.02 * n for n in range(4)])
    assert all(span.phases.queued_s - span.slot_wait_s < 0.02 for span in spans)


def test_where_a_pool_grows_late_the_wait_for_a_busy_executor_is_no_overhead_either() -> None:
    first, second = (Executor(kind="lambda", id=name) for name in ("l1", "l2"))
    alone = [ran(f"c{n}", at=0.0, queued=0.01 + 1.02 * n, run=1.0, executor=first) for n in range(3)]
    late = ran("c3", at=0.0, queued=2.5, start=0.0, run=1.0, executor=second)
    spans = {span.action_id: span for span in spans_of(a_run([*alone, late])[1])}
    assert spans["c2"].slot_wait_s == pytest.approx(2.034)
    assert spans["c3"].slot_wait_s == 0


def test_calls_one_after_the_other_do_not_wait_for_slots() -> None:
    spans = spans_of(a_run([ran(f"c{n}", at=2.0 * n) for n in range(5)])[1])
    assert [span.slot_wait_s for span in spans] == [0] * 6


# --- critical path ---


def test_the_path_of_a_chain_goes_through_every_call_and_is_as_long_as_the_run() -> None:
    profile, _ = profiled([ran(f"c{n}", at=1.0 * n, run=0.5) for n in range(3)])
    assert sum(step.length_s for step in profile.path) == pytest.approx(profile.wall_s)
    assert [s.action_id for s in profile.path if s.phase == "run" and s.task == "env.child"] == [
        "c0",
        "c1",
        "c2",
    ]
    assert by_phase(profile.path)["env.child", "run"] == pytest.approx(1.5)
    begins = [step.started_at for step in profile.path]
    assert begins == sorted(begins)
    assert begins[0] == pytest.approx(T0)


def test_the_path_of_a_fan_out_goes_through_the_last_to_end() -> None:
    profile, _ = profiled([ran("fast", at=0.0, run=0.5), ran("slow", at=0.1, run=2.0)])
    assert {step.action_id for step in profile.path} == {"a0", "slow"}


def test_the_path_goes_down_to_grandchildren() -> None:
    below = ran("g", at=0.2, run=1.0, parent="c0", task="env.leaf")
    middle = ran("c0", at=0.1, run=1.5)
    profile, _ = profiled([middle, below])
    assert sum(step.length_s for step in profile.path) == pytest.approx(profile.wall_s)
    assert by_phase(profile.path)["env.leaf", "run"] == pytest.approx(1.0)


def test_what_a_parent_takes_to_notice_is_on_the_path() -> None:
    noticed = (Noticed("env.child", 1, 0.05, 0.05),)
    run, records = a_run([ran("c0", at=0.1, run=1.0)], noticed=noticed, run=2.0)
    path = profile_of(run, records, LATER).path
    assert by_phase(path)["env.root", "noticed"] == pytest.approx(0.05)


def test_a_child_that_outlives_its_parent_is_not_on_the_path() -> None:
    profile, _ = profiled([ran("c0", at=0.1, run=5.0)], run=1.0)
    assert {step.action_id for step in profile.path} == {"a0"}


def test_a_deep_chain_does_not_overflow() -> None:
    records = [
        ran(f"c{n}", at=n * 1e-4, run=10 - n * 2e-4, parent="a0" if n == 0 else f"c{n - 1}")
        for n in range(3000)
    ]
    profile, _ = profiled(records)
    assert sum(step.length_s for step in profile.path) == pytest.approx(profile.wall_s)


def test_a_run_that_goes_on_has_no_path() -> None:
    run, records = a_run([ran("c0", at=0.1)])
    assert profile_of(run, records[1:], LATER).path == ()
