"""Records as JSON documents."""

from __future__ import annotations

import json

import pytest

from upwell._client import documents
from upwell._core.model import (
    ActionKey,
    ActionRecord,
    ActionSpec,
    Attempt,
    ErrorInfo,
    Executor,
    Outcome,
    Payload,
    RunRecord,
    RunSpec,
    Status,
    TaskSpec,
)
from upwell._core.ports import RunView

COLUMNS = {"name": "string", "age": "int64"}
FRAME = {"$upwell": "ref", "name": "k", "format": "parquet", "digest": "d", "columns": COLUMNS, "num_rows": 7}
SHOWN_FRAME = {"frame": "parquet", "columns": COLUMNS, "num_rows": 7}
RUN = RunSpec(run_id="r1", created_at=1_700_000_000.0)
TASK = TaskSpec(name="env.task", module="flow", pool="default")
SPEC = ActionSpec(
    run=RUN, action_id="a0", task=TASK, inputs=Payload(text="{}", size_bytes=2), queued_at=1_700_000_000.0
)
ERROR = ErrorInfo(code="ValueError", message="no", traceback="Traceback ...", worker="host-1")


def test_instants_are_utc_with_milliseconds() -> None:
    assert documents.instant(1_700_000_000.1234) == "2023-11-14T22:13:20.123Z"
    assert documents.instant(None) is None


def test_a_run_document_has_all_that_a_program_needs() -> None:
    run = RunRecord(
        spec=RUN,
        task="env.task",
        status=Status.FAILED,
        ended_at=1_700_000_002.5,
        outcome=Outcome(status=Status.FAILED, error=ERROR),
        root=SPEC,
        labels={"team": "data", "upwell.file": "/somewhere.py"},
    )
    shown = documents.run_document(run, backend="local", url="file:///x", alive=False)
    assert shown == {
        "run": "r1",
        "task": "env.task",
        "backend": "local",
        "status": "failed",
        "alive": False,
        "generation": 1,
        "created_at": "2023-11-14T22:13:20.000Z",
        "began_at": "2023-11-14T22:13:20.000Z",
        "ended_at": "2023-11-14T22:13:22.500Z",
        "duration_s": 2.5,
        "labels": {"team": "data"},
        "url": "file:///x",
        "error": {
            "code": "ValueError",
            "kind": "user",
            "message": "no",
            "executor": "host-1",
            "traceback": "Traceback ...",
        },
    }
    json.dumps(shown, allow_nan=False)


def test_an_action_document_lists_its_attempts() -> None:
    lost = Attempt(
        number=1,
        executor=Executor(kind="worker", id="w1"),
        started_at=1_700_000_001.0,
        ended_at=1_700_000_002.0,
        end="lost",
    )
    running = Attempt(number=2, executor=Executor(kind="lambda", id="l1"), started_at=1_700_000_003.0)
    record = ActionRecord(
        spec=SPEC,
        status=Status.RUNNING,
        version=3,
        generation=1,
        created_at=1_700_000_001.0,
        started_at=1_700_000_001.0,
        losses=1,
        attempts=(lost, running),
        cached_from=ActionKey("r0", "a7"),
    )
    shown = documents.action_document(record)
    assert [(a["number"], a["executor_kind"], a["executor_id"], a["end"]) for a in shown["attempts"]] == [
        (1, "worker", "w1", "lost"),
        (2, "lambda", "l1", None),
    ]
    assert shown["attempts"][0]["duration_s"] == 1.0
    assert shown["losses"] == 1
    assert shown["status"] == "running"
    assert shown["cached_from"] == "r0/a7"
    assert shown["duration_s"] is None
    assert shown["parent"] is None


def test_counts_leave_out_zeros() -> None:
    view = RunView({"env.task": {"SUCCEEDED": 3, "RUNNING": 0}})
    assert documents.counts_document(view) == {"env.task": {"succeeded": 3}}


@pytest.mark.parametrize(
    ("encoded", "shown"),
    [
        ({"x": 1, "y": [True, None]}, {"x": 1, "y": [True, None]}),
        ({"x": {"$upwell": "pickle", "data": "YWJj"}}, {"x": {"pickle": True, "size_bytes": 3}}),
        ({"x": [{"$upwell": "pickle", "data": "YQ=="}]}, {"x": [{"pickle": True, "size_bytes": 1}]}),
        (
            {"x": FRAME | {"path": "s3://b/k.parquet", "data": None}},
            {"x": SHOWN_FRAME | {"uri": "s3://b/k.parquet"}},
        ),
        ({"x": FRAME | {"path": "", "data": "YWJj"}}, {"x": SHOWN_FRAME | {"size_bytes": 3}}),
        ({"x": {"$upwell": "dict", "items": [[[1, 2], "a"]]}}, {"x": [[[1, 2], "a"]]}),
        ({"x": {"$member": 1, "value": {"a": 1}}}, {"x": {"a": 1}}),
        ({"x": {"$upwell": "ref", "path": "s3://b/k", "name": "k"}}, {"x": {"path": "s3://b/k", "name": "k"}}),
    ],
)
def test_values_are_shown_without_marks_and_never_unpickled(encoded: object, shown: object) -> None:
    assert documents.values_document(json.dumps(encoded).encode()) == shown


@pytest.mark.parametrize(
    ("value", "names", "outputs"),
    [
        (1, None, {"o0": 1}),
        ([1, "a"], None, {"o0": [1, "a"]}),
        ([1, "a"], ("o0", "o1"), {"o0": 1, "o1": "a"}),
        ([1, "a"], ("total", "name"), {"total": 1, "name": "a"}),
        ({"o0": 1}, ("o0",), {"o0": {"o0": 1}}),
        (None, ("o0",), {"o0": None}),
    ],
)
def test_outputs_have_names(value: object, names: tuple[str, ...] | None, outputs: object) -> None:
    data = json.dumps({"value": value}).encode()
    assert documents.outputs_document(data, names) == outputs
