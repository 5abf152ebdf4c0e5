"""What every `StateStore` does with runs and their views: SQLite, and DynamoDB in moto.

The tests use the fixtures `state_store` and `views_catch_up` only.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

from tests.contract.store_samples import NOW, ended, run_record, running, succeeded

from upwell._core.model import ErrorInfo, Outcome, RunRecord, Status
from upwell._core.ports import StateStore


def ended_run(run: RunRecord, outcome: Outcome) -> RunRecord:
    return replace(run, status=outcome.status, version=run.version + 1, ended_at=NOW + 7.5, outcome=outcome)


async def test_a_run_that_was_never_saved_is_absent(state_store: StateStore) -> None:
    assert await state_store.get_run("r1") is None
    assert await state_store.list_runs() == []


async def test_a_run_is_read_back_whole_while_it_goes_on_and_after_its_end(state_store: StateStore) -> None:
    run = replace(run_record(), outputs=("left", "right"))
    assert await state_store.save_run(run, expected=None)
    assert await state_store.get_run("r1") == run
    done = ended_run(run, succeeded("[1, 2]"))
    assert await state_store.save_run(done, expected=1)
    assert await state_store.get_run("r1") == done


async def test_a_failed_run_keeps_its_error(state_store: StateStore) -> None:
    error = ErrorInfo(code="ValueError", message="no", traceback="at 1", worker="w1")
    failed = ended_run(run_record(), Outcome(status=Status.FAILED, error=error))
    await state_store.save_run(failed, expected=None)
    assert await state_store.get_run("r1") == failed


async def test_of_two_saves_of_a_run_over_the_same_version_the_second_loses(state_store: StateStore) -> None:
    run = run_record()
    assert await state_store.save_run(run, expected=None)
    assert not await state_store.save_run(run, expected=None)
    done = ended_run(run, succeeded())
    assert await state_store.save_run(done, expected=1)
    aborted = ended_run(run, Outcome(status=Status.ABORTED))
    assert not await state_store.save_run(aborted, expected=1)
    assert await state_store.get_run("r1") == done


async def test_a_save_over_a_version_of_a_run_that_is_absent_loses(state_store: StateStore) -> None:
    assert not await state_store.save_run(run_record(version=3), expected=2)
    assert await state_store.get_run("r1") is None


async def test_an_ended_run_can_be_recovered_as_a_new_generation(state_store: StateStore) -> None:
    run = run_record()
    failed = ended_run(run, Outcome(status=Status.FAILED, error=ErrorInfo(code="E", message="m")))
    await state_store.save_run(run, expected=None)
    await state_store.save_run(failed, expected=1)
    again = replace(run, spec=replace(run.spec, generation=2), version=3)
    assert await state_store.save_run(again, expected=2)
    assert await state_store.get_run("r1") == again


async def test_the_newest_runs_are_listed_first_up_to_the_limit(state_store: StateStore) -> None:
    runs = [run_record(f"r{i}", created_at=NOW + i / 1000) for i in range(12)]
    for run in [*runs[5:], *runs[:5]]:
        await state_store.save_run(run, expected=None)
    assert await state_store.list_runs() == runs[::-1]
    assert await state_store.list_runs(limit=3) == runs[:-4:-1]
    assert await state_store.list_runs(limit=2, before=runs[5].spec.created_at) == [runs[4], runs[3]]
    assert await state_store.list_runs(before=runs[0].spec.created_at) == []


async def test_a_list_of_statuses_is_the_list_without_the_others_while_runs_change(
    state_store: StateStore,
) -> None:
    chance = random.Random(1)
    ends = [Status.SUCCEEDED, Status.FAILED, Status.ABORTED, Status.TIMED_OUT]
    runs = {f"r{i:02}": run_record(f"r{i:02}", created_at=NOW + i / 1000) for i in range(40)}
    for run in runs.values():
        await state_store.save_run(run, expected=None)
    for _ in range(60):
        run = chance.choice(list(runs.values()))
        if run.status is Status.RUNNING:
            status = chance.choice(ends)
            error = None if status is Status.SUCCEEDED else ErrorInfo(code="E", message="m")
            changed = ended_run(run, Outcome(status=status, error=error))
        else:  # recovered
            changed = replace(run, status=Status.RUNNING, version=run.version + 1, ended_at=None, outcome=None)
        assert await state_store.save_run(changed, expected=run.version)
        runs[run.spec.run_id] = changed
        some = chance.sample([Status.RUNNING, *ends], chance.randint(1, 3))
        limit, before = chance.choice([3, 100]), NOW + chance.choice([20, 100]) / 1000
        newest = [run for run in runs.values() if run.status in some and run.spec.created_at < before][::-1][
            :limit
        ]
        assert await state_store.list_runs(limit, before=before, statuses=some) == newest


async def test_a_listing_of_large_runs_goes_past_a_page_of_a_megabyte(state_store: StateStore) -> None:
    for i in range(8):
        run = run_record(f"r{i}", created_at=NOW + i)
        await state_store.save_run(replace(run, labels={"text": "x" * 200_000}), expected=None)
    assert [run.spec.run_id for run in await state_store.list_runs(7)] == [f"r{i}" for i in range(7, 0, -1)]


async def test_a_run_without_actions_has_an_empty_view(state_store: StateStore) -> None:
    assert (await state_store.view("r1")).counts == {}


async def test_a_view_counts_a_runs_actions_by_task_and_status(
    state_store: StateStore, views_catch_up: Callable[[], Awaitable[None]]
) -> None:
    doubles = [running(f"a{i}") for i in range(30)]
    for record in [*doubles, running("main", task="env.main"), running("other", run_id="r2")]:
        await state_store.save(record, expected=None)
    failure = Outcome(status=Status.FAILED, error=ErrorInfo(code="E", message="m"))
    for number, record in enumerate(doubles[:20]):
        await state_store.save(ended(record, failure if number < 3 else None), expected=1)
    await state_store.save(replace(doubles[25], version=2), expected=1)  # a heartbeat
    await views_catch_up()
    assert (await state_store.view("r1")).counts == {
        "env.double": {"RUNNING": 10, "SUCCEEDED": 17, "FAILED": 3},
        "env.main": {"RUNNING": 1},
    }
    assert (await state_store.view("r2")).counts == {"env.double": {"RUNNING": 1}}
