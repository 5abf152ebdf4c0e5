"""Where the time of a run went, from its records."""

from __future__ import annotations

import pytest
from tests.unit.core.profiles import T0, a_run, profile, profiled, ran

from upwell._core.critical_path import by_phase
from upwell._core.efforts import Lengths
from upwell._core.model import Executor
from upwell._core.phases import Noticed
from upwell._core.profile import Spread, TaskProfile

LAMBDA = Executor(kind="lambda", id="l-1")


def task_of(profile_tasks: tuple[TaskProfile, ...], name: str) -> TaskProfile:
    return next(task for task in profile_tasks if task.task == name)


def test_percentiles_are_of_the_nearest_rank() -> None:
    assert Spread.of([float(n) for n in range(1, 101)]) == (50, 90, 99, 100, 5050)
    assert Spread.of([3.0]) == (3, 3, 3, 3, 3)
    assert Spread.of([]) == (0, 0, 0, 0, 0)


def test_percentiles_of_lengths_that_were_counted_are_right_to_a_bucket() -> None:
    def spread(*values: float) -> Spread:
        lengths = Lengths()
        for value in values:
            lengths.count(round(value * 1e6), 1)
        return Spread.of_lengths(lengths)

    found = spread(*(float(n) for n in range(1, 101)))
    assert found[:3] == pytest.approx((50, 90, 99), rel=0.0451)
    assert found[3:] == (100, 5050)
    assert spread(3.0) == pytest.approx((3, 3, 3, 3, 3), rel=0.0451)
    assert spread(0.0, 0.0) == spread() == (0, 0, 0, 0, 0)


def test_a_task_has_counts_runtimes_phases_and_its_overhead() -> None:
    noticed = (Noticed("env.child", 4, 0.02, 0.01),)
    found = profiled([ran(f"c{n}", at=1.0 * n, run=0.1 * (n + 1)) for n in range(4)], noticed=noticed)
    child = task_of(found.tasks, "env.child")
    assert (child.actions, child.attempts, child.measured, child.failed) == (4, 4, 4, 0)
    assert child.runtime.max == pytest.approx(0.4)
    assert child.phases["claim"].sum == pytest.approx(0.004)
    assert child.overhead_s == pytest.approx(0.005 + 0.005)  # its own, and what its parent took to notice
    assert child.overhead_ratio == pytest.approx(0.010 / 0.25)


def test_a_parents_runtime_leaves_out_its_waits_for_children() -> None:
    found = profiled([ran("c0", at=0.5, run=1.0), ran("c1", at=1.0, run=1.0)])
    root = task_of(found.tasks, "env.root")
    assert root.phases["run"].sum == pytest.approx(2.005 - 0.001)
    assert root.runtime.sum == pytest.approx(2.004 - 1.505)  # the two overlap


def test_shares_add_up() -> None:
    found = profiled([ran(f"c{n}", at=n, executor=LAMBDA) for n in range(3)], executor=LAMBDA)
    assert sum(task.cost_share for task in found.tasks) == pytest.approx(1)
    assert found.usd > sum(task.usd for task in found.tasks) > 0  # the run itself has a price
    child = task_of(found.tasks, "env.child")
    assert child.usd == pytest.approx(3 * child.usd_per_action + 3 * 0.104 * child.usd_per_s)


def test_records_of_older_code_have_a_queue_and_a_run_alone() -> None:
    found = profiled([ran("c0", at=0.0, queued=0.5, run=1.0, measured=False)])
    child = task_of(found.tasks, "env.child")
    assert (child.attempts, child.measured) == (1, 0)
    assert child.runtime.sum == pytest.approx(1.004)
    assert child.overhead_s == 0


# --- critical path ---


def test_the_path_of_a_chain_goes_through_every_call_and_is_as_long_as_the_run() -> None:
    found = profiled([ran(f"c{n}", at=1.0 * n, run=0.5) for n in range(3)])
    assert sum(step.length_s for step in found.path) == pytest.approx(found.wall_s)
    assert [s.action_id for s in found.path if s.phase == "run" and s.task == "env.child"] == [
        "c0",
        "c1",
        "c2",
    ]
    assert by_phase(found.path)["env.child", "run"] == pytest.approx(1.5)
    begins = [step.started_at for step in found.path]
    assert begins == sorted(begins)
    assert begins[0] == pytest.approx(T0)


def test_the_path_of_a_fan_out_goes_through_the_last_to_end() -> None:
    found = profiled([ran("fast", at=0.0, run=0.5), ran("slow", at=0.1, run=2.0)])
    assert {step.action_id for step in found.path} == {"a0", "slow"}


def test_the_path_goes_down_to_grandchildren() -> None:
    below = ran("g", at=0.2, run=1.0, parent="c0", task="env.leaf")
    middle = ran("c0", at=0.1, run=1.5)
    found = profiled([middle, below])
    assert sum(step.length_s for step in found.path) == pytest.approx(found.wall_s)
    assert by_phase(found.path)["env.leaf", "run"] == pytest.approx(1.0)


def test_what_a_parent_takes_to_notice_is_on_the_path() -> None:
    noticed = (Noticed("env.child", 1, 0.05, 0.05),)
    path = profiled([ran("c0", at=0.1, run=1.0)], noticed=noticed, run=2.0).path
    assert by_phase(path)["env.root", "noticed"] == pytest.approx(0.05)


def test_a_child_that_outlives_its_parent_is_not_on_the_path() -> None:
    found = profiled([ran("c0", at=0.1, run=5.0)], run=1.0)
    assert {step.action_id for step in found.path} == {"a0"}


def test_a_deep_chain_does_not_overflow() -> None:
    records = [
        ran(f"c{n}", at=n * 1e-4, run=10 - n * 2e-4, parent="a0" if n == 0 else f"c{n - 1}")
        for n in range(3000)
    ]
    found = profiled(records)
    assert sum(step.length_s for step in found.path) == pytest.approx(found.wall_s)


def test_a_run_that_goes_on_has_no_path() -> None:
    run, records = a_run([ran("c0", at=0.1)])
    assert profile(run, records[1:]).path == ()
