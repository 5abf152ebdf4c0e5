"""Runs that were recovered: both generations on one axis, one length of time, and how runs stand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.console.conftest import Console, serving
from tests.unit.core.actions import FAILURE, NOW, claim, finish, running, spec, step

import upwell
from upwell._client.config import Config
from upwell._client.documents import run_document
from upwell._client.local import open_local
from upwell._client.options import RunOptions
from upwell._console.rows import phases_by_attempt, row_of
from upwell._console.snapshot import Snapshot
from upwell._core.model import ActionRecord, Status
from upwell.testing import LocalFlows

env = upwell.TaskEnvironment("mended")
mended: list[bool] = []


@env.task
async def part() -> int:
    if not mended:
        raise ValueError("not yet")
    return 1


@env.task
async def main() -> int:
    return await part()


def failed() -> ActionRecord:
    """Return an action that ran for ten seconds and failed."""
    return step(running(), finish(FAILURE), NOW + 10)


def taken_over(at: float = NOW + 1000) -> ActionRecord:
    """Return the same in a second generation, which has just begun it."""
    again = spec(generation=2, queued_at=at - 2)
    return step(failed(), claim(again, "lease-2", now=at), at)


def test_a_row_tells_of_the_attempts_of_both_generations() -> None:
    row = row_of(taken_over())
    tries = [(each.sent_at, each.started_at, each.ended_at, each.end) for each in row.tries]
    assert tries == [(NOW, NOW, NOW + 10, "failed"), (NOW + 998, NOW + 1000, None, None)]
    assert (row.called_at, row.started_at, row.attempts) == (NOW, NOW + 1000, 2)


def test_the_rest_between_two_generations_is_no_wait() -> None:
    (_, first), (_, second) = phases_by_attempt(taken_over())
    assert (first.queued, second.queued) == (0.0, 2.0)


def test_an_action_that_waits_for_its_retry_tells_of_the_attempt_that_failed() -> None:
    retried = running(spec(retries=1, base_s=60.0))
    assert row_of(retried).tries == []
    assert [each.end for each in row_of(step(retried, finish(FAILURE), NOW + 10)).tries] == ["failed"]


def test_the_load_of_a_recovered_run_is_that_of_both_generations_and_none_between() -> None:
    timeline = Snapshot.of([row_of(taken_over())], NOW + 1010).timeline(101)
    assert (timeline.start, timeline.end) == (NOW, NOW + 1010)
    assert [bucket for bucket, n in enumerate(timeline.running) if n] == [0, 1, 100]
    assert [bucket for bucket, n in enumerate(timeline.queued) if n] == [99, 100]


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    """Give the console of a run that failed and was recovered, and of one whose process is gone."""
    flows = LocalFlows(tmp_path)
    mended.clear()
    await flows.arun_with(RunOptions(name="two"), main)
    mended.append(True)
    await flows.arun_with(RunOptions(name="two"), main)
    await flows.arun_with(RunOptions(name="gone"), main)
    config = Config(state_dir=tmp_path)
    async with open_local(config) as backend, serving(backend, config, tmp_path / "static") as console:
        run = await backend.store.get_run("gone")
        assert run is not None
        gone = replace(run, status=Status.RUNNING, version=run.version + 1, ended_at=None, outcome=None)
        assert await backend.store.save_run(gone, expected=run.version)
        yield console


async def test_a_recovered_run_is_as_long_as_its_latest_generation_wherever_it_is_shown(
    console: Console,
) -> None:
    run = await console.backend.store.get_run("two")
    assert run is not None
    assert run.ended_at is not None
    assert run.spec.generation == 2
    assert run.spec.created_at < run.began_at
    shown, listed = await console.get("/runs/two"), await console.get("/runs", task="main")
    document = run_document(run, backend="local", url="", alive=False)
    lengths = {shown["duration_s"], listed["runs"][1]["duration_s"], document["duration_s"]}
    assert lengths == {round(run.ended_at - run.began_at, 6)}


async def test_a_run_that_goes_on_is_as_long_as_it_has_taken_and_an_interrupted_one_is_not_known(
    console: Console,
) -> None:
    run = await console.backend.store.get_run("gone")
    assert run is not None
    assert run.duration_s(run.began_at + 60) == 60.0
    assert run.duration_s(None) is None


async def test_interrupted_runs_are_found_and_are_none_that_run(console: Console) -> None:
    async def found(status: str) -> list[str]:
        return [run["run_id"] for run in (await console.get("/runs", status=status))["runs"]]

    assert await found("interrupted") == ["gone"]
    assert await found("running") == []
    shown = await console.get("/runs/gone")
    assert (shown["alive"], shown["duration_s"]) == (False, None)
