"""Attempts: retried, replayed, too long, ended by sys.exit."""

from __future__ import annotations

import asyncio
import sys
import threading
from datetime import timedelta

import pytest

import upwell
from upwell import errors
from upwell._core.model import Status
from upwell.testing.flows import LocalFlows

env = upwell.TaskEnvironment("attempts")
executed: list[str] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    executed.clear()


def attempt() -> int:
    number = upwell.ctx().attempt
    assert number is not None
    return number


# --- replay ---


@upwell.trace
async def look_up(name: str) -> str:
    executed.append(name)
    return name


@env.task
async def child(n: int) -> int:
    executed.append(f"child {n}")
    return n


@env.task(retries=2)
async def fails_after_its_children() -> list[object]:
    done = [await look_up("trace"), *await asyncio.gather(child(1), child(2), child(1))]
    if attempt() < 3:
        raise RuntimeError("not yet")
    return done


def test_a_retried_parent_repeats_neither_children_nor_traces(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(fails_after_its_children)
    assert result.unwrap() == ["trace", 1, 2, 1]
    assert sorted(executed) == ["child 1", "child 1", "child 2", "trace"]
    assert result.run.root.action_id == "a0"
    (root,) = result.actions_of(fails_after_its_children)
    assert (root.attempt, root.failures) == (3, 2)


@env.task
async def fails_twice() -> str:
    executed.append("fails twice")
    if executed.count("fails twice") < 3:
        raise RuntimeError("not yet")
    return "at last"


@env.task(retries=2)
async def retries_for_its_child() -> list[object]:
    return [await child(1), await fails_twice()]


def test_a_retried_parent_calls_a_failed_child_again(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(retries_for_its_child)
    assert result.unwrap() == [1, "at last"]
    assert executed.count("child 1") == 1
    assert sorted(a.status for a in result.actions_of(fails_twice)) == ["FAILED", "FAILED", "SUCCEEDED"]


@env.task
async def waits(n: int) -> int:
    executed.append("waits")
    if executed.count("waits") < 2:
        await asyncio.Event().wait()
    return n


@env.task
async def sibling() -> None:
    executed.append("sibling")
    if executed.count("sibling") < 2:
        while "waits" not in executed:  # noqa: ASYNC110  # what it waits for runs on the engine's loop, too
            await asyncio.sleep(0)
        raise RuntimeError("not yet")


@env.task(retries=1)
async def retries_with_an_aborted_child() -> int:
    n, _ = await asyncio.gather(waits(7), sibling())
    return n


def test_a_retried_parent_calls_an_aborted_child_again(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(retries_with_an_aborted_child)
    assert result.unwrap() == 7
    assert sorted(a.status for a in result.actions_of(waits)) == ["ABORTED", "SUCCEEDED"]


@env.task
async def catches_a_failure() -> str:
    try:
        await always_fails()
    except errors.RuntimeUserError as e:
        return e.code
    return "no error"


@env.task(retries=2)
async def always_fails() -> None:
    executed.append("always")
    raise LookupError("never")


def test_a_child_has_its_own_retries_and_its_parent_sees_the_last_error(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(catches_a_failure)
    assert result.unwrap() == "LookupError"
    assert executed == ["always"] * 3


# --- backoff, bounds ---


@env.task(retries=upwell.RetryStrategy(count=2, backoff=upwell.Backoff(base=timedelta(seconds=90))))
async def backs_off() -> float:
    if attempt() < 3:
        raise RuntimeError("not yet")
    return 0.0


def test_attempts_are_as_far_apart_as_the_backoff_says(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(backs_off)
    result.unwrap()
    first, second, third = result.actions[0].attempts
    assert second.started_at - first.started_at >= 90
    assert third.started_at - second.started_at >= 90


@env.task(timeout=0.05)
async def too_long() -> None:
    await asyncio.Event().wait()


@env.task(timeout=0.05, retries=1)
def too_long_sync() -> None:
    if attempt() == 1:
        threading.Event().wait(5)


@env.task(timeout=upwell.Timeout(deadline=0.05), retries=10)
async def past_its_deadline() -> None:
    await asyncio.Event().wait()


def test_an_attempt_that_runs_too_long_times_out(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(too_long)
    assert result.run.status is Status.TIMED_OUT
    with pytest.raises(errors.MaxRuntimeExceededError, match=r"max_runtime of 0\.05 s"):
        result.unwrap()


def test_a_sync_attempt_that_runs_too_long_is_retried_without_waiting_for_its_thread(
    upwell_flows: LocalFlows,
) -> None:
    result = upwell_flows.run(too_long_sync)
    result.unwrap()
    assert result.actions[0].attempts[0].error is not None
    assert result.actions[0].attempts[0].error.code == "MaxRuntimeExceededError"


def test_a_deadline_ends_the_action_while_it_runs_whatever_its_retries(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(past_its_deadline)
    assert result.run.status is Status.TIMED_OUT
    assert result.actions[0].attempt == 1
    with pytest.raises(errors.DeadlineExceededError, match="after it was queued"):
        result.unwrap()


# --- ends that are none ---


@env.task
async def exits() -> None:
    sys.exit(3)


@env.task
def exits_sync() -> None:
    sys.exit(3)


@env.task
async def cancels_itself() -> None:
    raise asyncio.CancelledError


@env.task
async def survives_exits() -> list[str]:
    ended = await asyncio.gather(exits(), exits_sync.aio(), cancels_itself(), child(1), return_exceptions=True)
    return [getattr(end, "code", str(end)) for end in ended]


def test_sys_exit_and_a_cancellation_of_its_own_fail_the_attempt_alone(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(survives_exits)
    assert result.unwrap() == ["SystemExit", "SystemExit", "CancelledError", "1"]
