"""The phases of an attempt: split, kept, summed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.core.actions import FAILURE, NOW, finish, running, spec, step

from upwell._aws.dynamodb_items import action_item
from upwell._core.commands import Suspend
from upwell._core.model import Payload
from upwell._core.phases import NOTICED_TASKS, Noticed, Phases, in_queue, kept, merged
from upwell._core.wire import dump_record, load_record

MEASURED = Phases(queued_s=0.25, claim_s=0.005, input_s=0.001, run_s=2.0, output_s=0.0015)
HEARD = (Noticed("env.child", 3, 0.6, 0.3),)


@pytest.mark.parametrize(
    ("began_at", "ready_at", "expected"),
    [
        (90.0, 95.0, (10.0, 0.0)),  # warm before the message was sent
        (102.0, 105.0, (7.0, 3.0)),  # all of the start passed while it waited
        (90.0, 105.0, (5.0, 5.0)),  # it had begun before
        (109.0, 120.0, (9.0, 1.0)),  # received before it was ready, by another clock
        (115.0, 120.0, (10.0, 0.0)),
    ],
)
def test_of_a_start_counts_what_passed_while_the_message_waited(
    began_at: float, ready_at: float, expected: tuple[float, float]
) -> None:
    assert in_queue(100.0, 110.0, (began_at, ready_at)) == expected


def test_a_warm_executor_has_no_start_and_clocks_that_differ_give_no_negative_time() -> None:
    assert in_queue(100.0, 110.0, None) == (10.0, 0.0)
    assert in_queue(110.0, 100.0, (90.0, 120.0)) == (0.0, 0.0)


def test_phases_are_kept_in_microseconds() -> None:
    assert Phases.unpacked(MEASURED.packed()) == MEASURED
    assert Phases(queued_s=-0.5).packed()[0] == 0


def test_a_record_may_have_more_or_fewer_phases_than_this_code_knows() -> None:
    assert Phases.unpacked((*MEASURED.packed(), 7, 8)) == MEASURED
    assert Phases.unpacked(MEASURED.packed()[:1]) == Phases(queued_s=0.25)


def test_the_end_of_an_attempt_takes_its_phases_along() -> None:
    ended = step(running(), replace(finish(), phases=MEASURED.packed(), noticed=HEARD), NOW + 3)
    assert ended.attempts[-1].phases == MEASURED.packed()
    assert ended.attempts[-1].noticed == HEARD
    assert load_record(dump_record(ended)) == ended


def test_a_failed_try_keeps_its_own() -> None:
    first = running(spec(retries=1))
    retried = step(first, replace(finish(FAILURE), phases=MEASURED.packed()), NOW + 3)
    assert [attempt.phases for attempt in retried.attempts] == [MEASURED.packed()]


def test_a_suspended_attempt_keeps_its_own() -> None:
    asleep = Suspend(
        lease_id="lease-1", open_children=1, waiting_since=NOW, phases=MEASURED.packed(), noticed=HEARD
    )
    assert step(running(), asleep, NOW + 3).attempts[-1].phases == MEASURED.packed()


def test_an_executor_that_cannot_say_leaves_them_out() -> None:
    assert "phases" not in dump_record(step(running(), finish(), NOW + 3))


def test_the_record_of_a_small_action_stays_in_one_write_unit() -> None:
    small = replace(spec(), inputs=Payload(text='{"x":12345}', size_bytes=11))
    ended = step(running(small), replace(finish(), phases=MEASURED.packed()), NOW + 3)
    item = action_item(ended)
    size = sum(len(name) + len(next(iter(value.values()))) for name, value in item.items())
    assert size <= 1024
    assert len(dump_record(ended)) - len(dump_record(step(running(small), finish(), NOW + 3))) <= 64


def test_sums_of_several_parents_add_up() -> None:
    sums = merged([Noticed("a", 2, 0.5, 0.4), Noticed("b", 1, 0.1, 0.1), Noticed("a", 1, 0.7, 0.7)])
    assert sums == {"a": Noticed("a", 3, 1.2, 0.7), "b": Noticed("b", 1, 0.1, 0.1)}


def test_a_parent_of_many_tasks_keeps_the_most_frequent_and_one_sum_of_the_rest() -> None:
    sums = {f"t{n:02}": Noticed(f"t{n:02}", 100 - n, 1.0, 0.5) for n in range(NOTICED_TASKS + 3)}
    own = kept(sums)
    assert len(own) == NOTICED_TASKS + 1
    assert own[-1] == Noticed("", 3 * 100 - 10 - 11 - 12, 3.0, 0.5)
