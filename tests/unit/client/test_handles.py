"""Handles of runs and actions: what they say of what has happened."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import upwell
import upwell.report
from upwell._client.action_handle import Action
from upwell._client.config import Config, current_config
from upwell._client.phase import ActionPhase
from upwell._core.model import Status
from upwell.errors import ActionNotFoundError, RuntimeUserError, UsageError

env = upwell.TaskEnvironment("handles")


@env.task
async def half(x: int) -> float:
    if x < 0:
        raise ValueError(f"{x} is negative")
    return x / 2


@env.task(cache=upwell.Cache("auto", ignored_inputs="note"))
async def kept(x: int, note: str = "") -> int:
    return -x


@env.task
async def twice(x: int) -> int:
    return await kept(x, "first") + await kept(x, "again")


@env.task(report=True, retries=1)
async def main(x: int) -> tuple[float, str]:
    upwell.report.log(f"<p>attempt {upwell.ctx().attempt}</p>")
    if upwell.ctx().attempt == 1:
        raise RuntimeError("the first attempt fails")
    return await half(x), "done"


@pytest.fixture(autouse=True)
def state(tmp_path: Path) -> None:
    upwell.init(state_dir=tmp_path, root_dir=Path(__file__).parent)


def test_a_run_says_how_it_ended_and_what_it_gave() -> None:
    run = upwell.with_runcontext(name="good").run(main, 3)
    assert (run.phase, run.phase == "succeeded", run.done()) == (ActionPhase.SUCCEEDED, True, True)
    assert run.phase.is_terminal
    assert run.outputs() == (1.5, "done")
    assert run.outputs().named_outputs == {"o0": 1.5, "o1": "done"}
    assert run.inputs() == {"x": 3}
    assert (run.action.name, run.action.run_name) == ("a0", "good")
    assert run.first_failure() is None
    run.wait(quiet=True, wait_for="running")
    run.raise_for_status()


def test_the_url_of_a_run_is_its_page_in_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    run = upwell.with_runcontext(name="good").run(main, 3)
    assert run.url == "http://127.0.0.1:8640/runs/good"
    upwell.init(console_url="https://console.example/upwell/", state_dir=current_config().state_dir)
    assert upwell.Run.get("good").url == "https://console.example/upwell/runs/good"
    monkeypatch.setenv("UPWELL_CONSOLE_URL", "http://127.0.0.1:9000")
    assert Config.auto().console_url == "http://127.0.0.1:9000"


def test_the_report_of_an_attempt_is_returned() -> None:
    run = upwell.run(main, 3)
    assert "<p>attempt 2</p>" in (run.get_report() or "")
    assert "<p>attempt 1</p>" in (run.get_report(attempt=1) or "")
    assert run.get_report(attempt=7) is None


async def test_everything_that_blocks_has_an_async_twin() -> None:
    run = await upwell.run.aio(main, 3)
    await run.wait.aio()
    assert await run.outputs.aio() == (1.5, "done")
    assert (await upwell.Run.get.aio(run.name)).name == run.name
    assert [found.name for found in await upwell.Run.listall.aio()] == [run.name]
    assert [found.name async for found in upwell.Run.listall.aio(limit=1)] == [run.name]
    assert len([found async for found in Action.listall.aio(for_run_name=run.name)]) == 2
    seen = [details.phase async for details in run.watch()]
    assert seen == ["succeeded"]
    assert "<p>attempt 2</p>" in (await run.get_report.aio() or "")


def test_runs_are_listed_by_phase_task_and_label() -> None:
    upwell.with_runcontext(name="one", labels={"team": "a"}).run(half, 1)
    with pytest.raises(RuntimeUserError):
        upwell.with_runcontext(name="two").run(half, -1)

    def names(**wanted: object) -> list[str]:
        return [run.name for run in upwell.Run.listall(**wanted)]  # type: ignore[arg-type]

    assert sorted(names()) == ["one", "two"]
    assert names(in_phase=ActionPhase.FAILED) == names(in_phase=("failed", "aborted")) == ["two"]
    assert names(in_phase=(ActionPhase.QUEUED, "succeeded")) == ["one"]
    assert names(in_phase=ActionPhase.QUEUED) == names(in_phase=()) == [], "no run is ever"
    with pytest.raises(UsageError, match="in_phase 'faild' is no status of a run; use one of running"):
        names(in_phase="faild")
    assert names(labels={"team": "a"}) == ["one"]
    assert sorted(names(task_name="handles.half")) == ["one", "two"]
    assert names(task_name="handles.main") == []


def test_actions_that_were_found_in_the_cache_are_told_of() -> None:
    upwell.with_runcontext(name="computed").run(twice, 3)
    _, computed, found = Action.listall(for_run_name="computed")
    assert (found.phase, found.task_name, found.parent_name) == ("succeeded", "handles.kept", "a0")
    details = Action.get(run_name="computed", name=found.name).details()
    assert (details.inputs(), details.outputs()) == ({"x": 3, "note": "again"}, (-3,))
    assert details.metadata["cached_from"] == f"computed/{computed.name}"


def test_actions_of_a_run_are_found_and_told_of() -> None:
    upwell.with_runcontext(name="parent").run(main, 3)
    root, child = Action.listall(for_run_name="parent")
    assert (root.name, root.parent_name, root.task_name) == ("a0", None, "handles.main")
    assert (child.parent_name, child.phase, child.start_time is not None) == ("a0", "succeeded", True)
    assert [a.name for a in Action.listall(for_run_name="parent", parent_name="a0")] == [child.name]
    assert Action.listall(for_run_name="parent", in_phase="failed") == []
    details = Action.get(run_name="parent", name=child.name).details()
    assert (details.inputs(), details.outputs()) == ({"x": 3}, (1.5,))
    assert (details.error_info, details.error_message, details.abort_info) == (None, None, None)
    assert isinstance(details.runtime, timedelta)
    assert [attempt.end for attempt in root.details().attempts] == ["failed", "succeeded"]
    with pytest.raises(ActionNotFoundError, match="no action 'nobody'"):
        Action.get(run_name="parent", name="nobody")


def test_a_failed_run_names_the_action_that_failed_first() -> None:
    with pytest.raises(RuntimeUserError):
        upwell.with_runcontext(name="bad").run(main, -3)
    run = upwell.Run.get("bad")
    assert run.phase == ActionPhase.FAILED
    failure = run.first_failure()
    assert failure is not None
    assert (failure.task_name, failure.error_message) == ("handles.half", "-3 is negative")
    with pytest.raises(RuntimeUserError, match="-3 is negative"):
        failure.outputs()
    with pytest.raises(RuntimeUserError, match="-3 is negative"):
        run.raise_for_status()


def test_every_status_has_a_phase() -> None:
    assert {status: ActionPhase.of(status).is_terminal for status in Status} == {
        status: status.is_terminal for status in Status
    }
