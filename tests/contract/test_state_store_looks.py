"""What every `StateStore` does for the sweeper: SQLite, and DynamoDB in moto.

The tests use the fixture `state_store` only.
"""

from __future__ import annotations

from dataclasses import replace

from tests.contract.store_samples import NOW, ended, run_record, running, succeeded

from upwell._core.model import ErrorInfo, Outcome, RunRecord, Status
from upwell._core.ports import StateStore

FAILURE = Outcome(status=Status.FAILED, error=ErrorInfo(code="E", message="m"))


def watched(run_id: str = "r1", look_at: float = NOW) -> RunRecord:
    return replace(run_record(run_id), look_at=look_at)


async def stored(store: StateStore, run: RunRecord) -> RunRecord:
    assert await store.save_run(run, expected=None)
    read = await store.get_run(run.spec.run_id)
    assert read is not None
    return read


async def test_the_actions_that_have_not_ended_are_listed(state_store: StateStore) -> None:
    actions = [running(f"a{i}") for i in range(20)]
    for action in [*actions, running("other", run_id="r2")]:
        await state_store.save(action, expected=None)
    for action in actions[:5]:
        await state_store.save(ended(action), expected=1)
    for action in actions[5:8]:
        await state_store.save(ended(action, FAILURE), expected=1)
    asleep = replace(actions[8], status=Status.SUSPENDED, version=2)
    await state_store.save(asleep, expected=1)
    found = {action.spec.action_id: action async for action in state_store.list_open("r1")}
    assert found == {action.spec.action_id: action for action in [asleep, *actions[9:]]}


async def test_a_run_says_when_it_is_to_be_looked_at(state_store: StateStore) -> None:
    run = watched()
    assert await stored(state_store, run) == run


async def test_runs_are_due_in_the_order_of_their_times(state_store: StateStore) -> None:
    for run_id, late_s in [("r1", 5.0), ("r2", -3.0), ("r3", 0.0), ("r4", -7.5)]:
        await stored(state_store, watched(run_id, NOW - late_s))
    await stored(state_store, run_record("never"))
    assert await state_store.due_runs(NOW, 10) == ["r1", "r3"]
    assert await state_store.due_runs(NOW + 8, 3) == ["r1", "r3", "r2"]


async def test_a_planned_look_leaves_the_run_and_its_version_alone(state_store: StateStore) -> None:
    run = await stored(state_store, watched())
    assert await state_store.plan_look(run, NOW + 60.5, looked_at=NOW + 0.5)
    assert await state_store.get_run("r1") == replace(run, look_at=NOW + 60.5, looked_at=NOW + 0.5)
    assert await state_store.due_runs(NOW + 60, 10) == []
    assert await state_store.due_runs(NOW + 61, 10) == ["r1"]
    failed = replace(run, status=Status.FAILED, version=2, ended_at=NOW + 1, outcome=FAILURE)
    assert await state_store.save_run(failed, expected=1)


async def test_of_two_looks_planned_from_the_same_reading_the_second_loses(state_store: StateStore) -> None:
    run = await stored(state_store, watched())
    assert await state_store.plan_look(run, NOW + 60, looked_at=NOW)
    assert not await state_store.plan_look(run, NOW + 900, looked_at=NOW)
    assert await state_store.due_runs(NOW + 60, 10) == ["r1"]


async def test_a_run_that_is_done_with_is_not_looked_at_again(state_store: StateStore) -> None:
    run = await stored(state_store, watched())
    assert await state_store.plan_look(run, None, looked_at=NOW)
    assert await state_store.due_runs(NOW + 1e6, 10) == []
    read = await state_store.get_run("r1")
    assert read is not None
    assert read.look_at is None
    assert not await state_store.plan_look(read, NOW, looked_at=NOW)


async def test_a_run_that_succeeded_needs_no_look_and_one_that_failed_a_last_one(
    state_store: StateStore,
) -> None:
    for run_id, outcome in [("good", succeeded()), ("bad", FAILURE)]:
        run = await stored(state_store, watched(run_id))
        done = replace(run, status=outcome.status, version=2, ended_at=NOW + 1, outcome=outcome)
        assert await state_store.save_run(done, expected=1)
    assert await state_store.due_runs(NOW + 1, 10) == ["bad"]
