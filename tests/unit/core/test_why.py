"""Why an action ran, and what its time went into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.core.actions import (
    FAILURE,
    LEASE_S,
    NOW,
    claim,
    failed,
    finish,
    in_generation,
    running,
    spec,
    step,
    succeeded,
)

from upwell._core.cache_key import EXPIRED_KEPT_S, kept_for_s
from upwell._core.key_parts import KeyParts
from upwell._core.model import ActionKey, ActionRecord, CacheSummary, Status, Unusable
from upwell._core.phases import Phases
from upwell._core.timeline import spans_of
from upwell._core.took import remarks_on, steps_of
from upwell._core.why import TEXTS, Reason, decided_early, judge

PARTS = KeyParts(code="c", version="v")
OTHER = CacheSummary(
    key="k", task="env.task", made_by=ActionKey("r0", "a"), created_at=NOW - 9, size_bytes=1, parts=PARTS
)


def cached(**changes: Any) -> ActionRecord:
    record = succeeded()
    task = replace(record.spec.task, cache_key="k", cache_parts=PARTS, **changes.pop("task", {}))
    run = replace(record.spec.run, **changes.pop("run", {}))
    return replace(record, spec=replace(record.spec, task=task, run=run, **changes))


def stale(why: str) -> Unusable:
    return Unusable(made_by=ActionKey("r0", "a"), made_at=NOW - 99, why=why)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (succeeded(), Reason.NOT_CACHED),
        (replace(cached(), cached_from=ActionKey("r0", "a")), Reason.HIT),
        (cached(run={"cache_mode": "off"}), Reason.OFF),
        (cached(run={"cache_mode": "overwrite"}), Reason.OVERWRITE),
        (cached(task={"cache_write_only": True}), Reason.WRITE_ONLY),
        (cached(unusable=stale("too old")), Reason.TOO_OLD),
        (cached(unusable=stale("gone")), Reason.DATA_GONE),
        (cached(), None),
    ],
)
def test_what_the_action_itself_tells(record: ActionRecord, reason: Reason | None) -> None:
    assert decided_early(record) is reason


def test_otherwise_the_cache_tells() -> None:
    record = cached()
    mine = replace(OTHER, made_by=record.key)
    assert judge(record, mine, None).reason is Reason.FIRST
    assert judge(record, OTHER, None).reason is Reason.AT_THE_SAME_TIME
    assert judge(record, mine, OTHER) == judge(record, None, OTHER)
    assert judge(record, None, OTHER).reason is Reason.NEW_KEY
    assert judge(record, None, OTHER).entry == OTHER


def test_every_reason_has_a_text() -> None:
    assert set(TEXTS) == set(Reason)


@pytest.mark.parametrize(
    ("max_age_s", "retention_s", "kept_s"),
    [
        (None, None, None),
        (60.0, None, 60.0 + EXPIRED_KEPT_S),
        (None, 3600.0, 3600.0),
        (60.0, 3600.0, 3600.0),
        (60.0, 10 * EXPIRED_KEPT_S, 60.0 + EXPIRED_KEPT_S),
    ],
)
def test_a_result_is_kept_for_a_while_longer_than_it_is_used(
    max_age_s: float | None, retention_s: float | None, kept_s: float | None
) -> None:
    assert kept_for_s(max_age_s, retention_s) == kept_s


def retried() -> ActionRecord:
    """Queued at NOW; failed after 3 s; retried 4 s later; ran for 2 s."""
    twice = spec(retries=1, base_s=4.0)
    phases = Phases(queued_s=1.0, run_s=2.0).packed()
    record = step(None, claim(twice, now=NOW + 1), NOW + 1)
    failure = replace(finish(failed().outcome), phases=phases)
    record = step(record, failure, NOW + 3)
    record = step(record, claim(twice, "lease-2", now=NOW + 8), NOW + 8)
    return step(record, replace(finish(lease_id="lease-2"), phases=phases), NOW + 10)


def test_the_steps_of_an_action_add_up_to_its_time() -> None:
    record = retried()
    assert record.status is Status.SUCCEEDED
    steps = steps_of(record, spans_of([record]))
    assert [(s.attempt, s.phase, s.took_s) for s in steps] == [
        (1, "queued", pytest.approx(1.0)),
        (1, "run", pytest.approx(2.0)),
        (0, "failed", pytest.approx(4.0)),
        (2, "queued", pytest.approx(1.0)),
        (2, "run", pytest.approx(2.0)),
    ]
    assert sum(s.took_s for s in steps) == pytest.approx(10.0)
    assert steps[2].text == "backoff before the retry"


TIMES = Phases(queued_s=1.0, run_s=1.0).packed()


def recovered() -> ActionRecord:
    """Failed in its first generation, which was recovered a minute later, and succeeded there in a second."""
    again = replace(in_generation(spec(), 2), queued_at=NOW + 60)
    record = step(step(running(), finish(FAILURE), NOW + 3), claim(again, "lease-2", now=NOW + 61), NOW + 61)
    return step(record, replace(finish(lease_id="lease-2"), phases=TIMES), NOW + 62)


def test_the_steps_of_a_recovered_action_are_those_of_its_generation_and_no_backoff() -> None:
    record = recovered()
    steps = steps_of(record, spans_of([record]))
    assert [(s.attempt, s.phase, s.took_s) for s in steps] == [(2, "queued", 1.0), (2, "run", 1.0)]
    (remark,) = remarks_on(record)
    assert remark.startswith("before its run was recovered: attempt 1 on ")
    assert remark.endswith(" ValueError failed")


def test_losses_are_those_of_the_generation() -> None:
    again = in_generation(spec(), 2)
    record = step(running(), claim(again, "lease-2", now=NOW + 5), NOW + 5)
    lost = step(record, claim(again, "lease-3", now=NOW + 100), NOW + 100)
    assert [(a.number, a.generation, a.end) for a in lost.attempts] == [
        (1, 1, "lost"),
        (2, 2, "lost"),
        (3, 2, ""),
    ]
    assert remarks_on(lost)[1].startswith("1 executor lost: attempt 2 on ")


def test_an_attempt_of_a_process_that_is_gone_ended_with_its_lease_at_the_latest() -> None:
    record = step(running(), claim(in_generation(spec(), 2), "lease-2", now=NOW + 5000), NOW + 5000)
    assert record.attempts[0].ended_at == NOW + LEASE_S


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (retried, "1 failed attempt, 2 allowed: attempt 1 on "),
        (lambda: replace(running(), losses=2), "2 executors lost: no longer listed"),
        (lambda: cached(task={"cache_serialize": True}), "serialized"),
    ],
)
def test_what_else_may_explain_the_time_is_remarked(make: Callable[[], ActionRecord], part: str) -> None:
    (remark,) = remarks_on(make())
    assert part in remark
