"""Golden numbers, computed by hand from the table of prices and the metered constants."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.contract.store_samples import NOW, action_spec, ended, run_record, running, succeeded

from upwell._aws.dynamodb_items import action_item
from upwell._core.cost import RunCost, efforts_of
from upwell._core.cost import cost_of as cost_of_run
from upwell._core.model import ActionRecord, Attempt, Executor, Payload, PoolSize, RunRecord, Suspension
from upwell._core.record_size import record_bytes
from upwell._core.usage import item_bytes

WARM = PoolSize(kind="worker", memory_mib=2048, vcpus=1.0, slots=16)


def cost_of(*records: ActionRecord, run: RunRecord | None = None, now: float = NOW + 10) -> RunCost:
    return cost_of_run(run or run_record(), efforts_of(records), now)


def ran(seconds: float, *, pool: str = "default", attempts: int = 1) -> ActionRecord:
    """Return an action that succeeded; each of its attempts took so long."""
    tries = tuple(
        Attempt(
            number=number + 1,
            executor=Executor(kind="lambda", id="l"),
            started_at=NOW,
            ended_at=NOW + seconds,
            end="succeeded",
        )
        for number in range(attempts)
    )
    record = ended(running(version=2 * attempts - 1))
    spec = replace(record.spec, task=replace(record.spec.task, pool=pool))
    return replace(record, spec=spec, attempts=tries)


def test_a_plain_action_on_lambda() -> None:
    cost = cost_of(ran(2.0))
    task = cost.tasks["env.double"]
    assert (task.actions, task.attempts, task.run_s) == (1, 1, 2.0)
    # Two writes of the record, its entry in the journal, 0.17 for what was sent.
    assert task.control.write_units == pytest.approx(2 + 1 + 0.17)
    # 2 writes, 0.19 + 0.33 + 0.36 of the queue, 0.38 + 0.02 + 0.06 of the journal.
    assert task.control.requests == pytest.approx(3.34)
    assert task.control.lambda_requests == 1
    # 2 s of 1,769 MiB.
    assert task.compute.lambda_gb_s == pytest.approx(2 * 1769 / 1024)
    # 3.17 * 0.625 + 0.34 * 0.125 + 0.88 * (0.40 + 0.10) + 0.20, of a million; 3.455 GB-s at 16.6667.
    control_usd, compute_usd = 2.66375e-6, 3.455078125 * 16.6667e-6
    assert task.usd == pytest.approx(control_usd + compute_usd)
    # The run on top: 5 transitions, 6 write units, a request of the queue and an event.
    # Its view, counted twice: 2 * (1.5 * 0.625 + 0.125 + 0.20).
    assert cost.bill.usd == pytest.approx(control_usd + compute_usd + 130.25e-6 + 2.525e-6)
    assert cost.control_usd_per_million == pytest.approx(2.66375 + 130.25 + 2.525)


def test_the_view_of_a_large_run_is_kept_lane_by_lane_once_a_second() -> None:
    cost = cost_of(*[ran(1.0)] * 1000, now=NOW + 9)
    assert cost.views.write_units == pytest.approx(10 * 16 * 1.5)
    assert cost.views.lambda_requests == 10


def test_an_attempt_on_a_worker_pays_its_share() -> None:
    run = replace(run_record(), pools={"warm": WARM})
    compute = cost_of(ran(32.0, pool="warm"), run=run).compute
    assert compute.fargate_vcpu_s == pytest.approx(2.0)
    assert compute.fargate_gb_s == pytest.approx(4.0)
    assert compute.lambda_gb_s == 0


def test_a_retry_is_a_message_a_claim_and_a_finish_more() -> None:
    once, twice = cost_of(ran(1.0)).control, cost_of(ran(1.0, attempts=2)).control
    assert twice.write_units - once.write_units == pytest.approx(2)
    assert twice.sqs_requests - once.sqs_requests == pytest.approx(0.88)
    assert twice.lambda_requests - once.lambda_requests == 1


def test_an_attempt_that_runs_has_lasted_until_now() -> None:
    assert cost_of(running(), now=NOW + 7).tasks["env.double"].run_s == pytest.approx(7)


def test_a_suspended_parent_is_billed_for_the_times_it_was_awake() -> None:
    slept = replace(ran(3600.0), suspension=Suspension(attempt=1, count=2, open_children=0, waiting_since=NOW))
    cost = cost_of(slept)
    assert cost.tasks["env.double"].run_s == 15
    assert cost.tasks["env.double"].control.lambda_requests == 3


def test_a_result_from_the_cache_that_never_ran_costs_no_queue_and_no_compute() -> None:
    parent = replace(ran(1.0), hits={"env.cached": 1})
    hit = cost_of(parent).tasks["env.cached"]
    assert hit.control.requests < 0.05
    assert hit.control.sqs_requests == 0
    assert hit.compute.amounts() == {}


def test_a_large_output_is_an_object() -> None:
    outcome = replace(succeeded(), output=Payload(blob="values/r1/x", size_bytes=100_000))
    control = cost_of(replace(ran(1.0), outcome=outcome)).control
    assert (control.s3_puts, control.s3_gets) == (1, 1)


def test_a_recovered_run_is_two_executions() -> None:
    run = run_record()
    again = replace(run, spec=replace(run.spec, generation=2))
    assert cost_of(run=again).bill.usd == pytest.approx(2 * cost_of(run=run).bill.usd)


@pytest.mark.parametrize("text", ["1", '"' + "some words, " * 60 + '"', '"' + "x" * 6000 + '"'])
def test_the_size_of_a_record_is_that_of_its_item(text: str) -> None:
    record = ended(replace(running(), spec=action_spec()), succeeded(text))
    assert record_bytes(record) == pytest.approx(item_bytes(action_item(record)), abs=4)
