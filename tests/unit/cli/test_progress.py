"""How progress is shown."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from upwell._cli.progress import LineDisplay, TableDisplay, make_display, totals
from upwell._client.watch import Snapshot
from upwell._core.model import ActionSpec, Payload, RunRecord, RunSpec, Status, TaskSpec
from upwell._core.ports import RunView

SPEC = RunSpec(run_id="r1")
TASK = TaskSpec(name="env.main", module="flow", pool="default")
ROOT = ActionSpec(run=SPEC, action_id="a0", task=TASK, inputs=Payload(text="{}", size_bytes=2))


def snapshot(**counts: dict[str, int]) -> Snapshot:
    run = RunRecord(spec=SPEC, task="env.main", status=Status.RUNNING, root=ROOT)
    return Snapshot(run, RunView({f"env.{task}": by_status for task, by_status in counts.items()}))


def test_elsewhere_than_on_a_terminal_it_is_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(make_display("r1"), LineDisplay)


def test_lines_come_when_the_counts_change(capsys: pytest.CaptureFixture[str]) -> None:
    with LineDisplay("r1") as display:
        display.update(snapshot(main={"RUNNING": 1}))
        display.update(snapshot(main={"RUNNING": 1}))
        display.update(snapshot(main={"SUCCEEDED": 1}, leaf={"SUCCEEDED": 2, "FAILED": 1}))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [line.partition("] ")[2] for line in shown.err.splitlines()] == [
        "r1: 1 running",
        "r1: 3 succeeded, 1 failed",
    ]


def test_the_last_counts_are_shown_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with LineDisplay("r1") as display:
        display._started -= 1000  # lines are 30 s apart by now
        display.update(snapshot(main={"RUNNING": 1}))
        display.update(snapshot(main={"SUCCEEDED": 1}))
        assert "succeeded" not in capsys.readouterr().err
    assert "r1: 1 succeeded" in capsys.readouterr().err


def test_the_table_has_a_row_per_task_and_a_sum() -> None:
    display = TableDisplay("r1")
    display.update(snapshot(main={"RUNNING": 1}, leaf={"RUNNING": 2, "SUCCEEDED": 1200}))
    console = Console(file=io.StringIO(), width=80)
    console.print(display._render())
    text = console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO
    assert "run r1 running" in text
    rows = [line.split() for line in text.splitlines()[1:]]
    assert ["task", "running", "succeeded"] in rows
    assert ["env.leaf", "2", "1,200"] in rows
    assert ["all", "3", "1,200"] in rows


def test_totals_are_over_all_tasks() -> None:
    view = snapshot(main={"RUNNING": 1}, leaf={"RUNNING": 2, "TIMED_OUT": 1}).view
    assert totals(view) == {Status.RUNNING: 3, Status.TIMED_OUT: 1}


def test_every_status_of_an_action_is_counted() -> None:
    statuses = [status for status in Status if status is not Status.NEW]
    assert set(totals(snapshot(main={status.value: 1 for status in statuses}).view)) == set(statuses)
