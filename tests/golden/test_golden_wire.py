"""The wire format, held by files: what version 1 wrote is read for ever, and today's code writes the same.

A file in `v1` is the exact text that crosses a process boundary. When a field is added with a default, the
existing files stay as they are and new ones are added; a file is never edited to make a test pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from upwell._client.deployed_tasks import DeployedTask
from upwell._core import wire
from upwell._core.batch import Mark
from upwell._core.holds import Hold
from upwell._core.journal import Completed, FromCache, Hits, Missed, Scheduled, Sent, Traced, Traces
from upwell._core.key_parts import KeyParts
from upwell._core.links import TaskLink
from upwell._core.model import (
    ActionKey,
    ActionRecord,
    ActionSpec,
    ActionWarning,
    Attempt,
    Bounds,
    CacheEntry,
    ErrorInfo,
    Executor,
    Lease,
    Limit,
    Outcome,
    Payload,
    PoolSize,
    RetryPolicy,
    RunRecord,
    RunSpec,
    SecretSpec,
    Status,
    Suspension,
    TaskSpec,
)
from upwell._core.phases import Noticed
from upwell._types.given import join_given, split_given

V1 = Path(__file__).parent / "v1"
Codec = tuple[Callable[[Any], str], Callable[[str], Any]]

MESSAGE: Codec = (wire.dump_message, wire.load_message)
RECORD: Codec = (wire.dump_record, wire.load_record)
ENTRY: Codec = (wire.dump_entry, wire.load_entry)
RUN: Codec = (wire.dump_run, wire.load_run)
OUTCOME: Codec = (wire.dump_outcome, wire.load_outcome)
CACHE: Codec = (wire.dump_cache_entry, wire.load_cache_entry)
HOLD: Codec = (wire.dump_hold, wire.load_hold)
DEPLOYED: Codec = (lambda task: task.dump().decode(), lambda text: DeployedTask.load(text.encode()))
GIVEN_INPUTS: Codec = (lambda split: join_given(*split).decode(), lambda text: split_given(text.encode()))

PLAIN_TASK = TaskSpec(name="default.add", module="program", pool="default")
FULL_TASK = TaskSpec(
    name="reports.render",
    module="flows.reports",
    pool="reports",
    short_name="render the report",
    retry=RetryPolicy(count=3, base_s=0.5, factor=2.0, cap_s=30.0),
    bounds=Bounds(max_runtime_s=60.0, max_queued_s=600.0, deadline_s=3600.0),
    cache_key="k7v2",
)
LIMITED_TASK = replace(
    PLAIN_TASK,
    cache_key="k7v2",
    limits=(Limit(scope="task:default.add", places=3), Limit(scope="env:default", places=10)),
    cache_serialize=True,
    cache_max_age_s=86400.0,
)
PARTS = KeyParts(code="mfrggzdfmztwq2lk", version="v7", how="override", inputs={"x": "2c26b46b"})
HELD = Hold(
    scope="task:default.add",
    place=2,
    lease_id="5f0c",
    run_id="r1",
    action_id="mfrggzdfmztwq2lk",
    generation=2,
    task="default.add",
    executor=Executor(kind="worker", id="task-1/4"),
    since=1767312002.5,
    expires_at=1767312032.75,
)
FULL_RUN = RunSpec(
    run_id="r-20260102-abc",
    generation=2,
    bundle="9f86d081884c7d65",
    created_at=1767312000.125,
    custom_context={"team": "données"},
    env_vars={"LOG_LEVEL": "debug"},
    cache_mode="overwrite",
)
PLAIN = ActionSpec(
    run=RunSpec(run_id="r1"),
    action_id="a0",
    task=PLAIN_TASK,
    inputs=Payload(text='{"x":1,"y":"é\\n"}', size_bytes=17),
)
CHILD = ActionSpec(
    run=FULL_RUN,
    action_id="mfrggzdfmztwq2lk",
    task=FULL_TASK,
    inputs=Payload(blob="values/r-20260102-abc/2c26b46b68ffc68f", size_bytes=1_048_577),
    parent_id="a0",
    shard=3,
    group="nightly",
    depth=2,
    queued_at=1767312001.5,
)
USER_ERROR = ErrorInfo(
    code="ValueError",
    message="no such customer: 'Ü'",
    traceback='Traceback (most recent call last):\n  File "flows/reports.py", line 7\n',
    worker="worker-1",
)
SYSTEM_ERROR = ErrorInfo(
    code="RuntimeSystemError", message="lost 6 executors in a row", kind="system", recoverable=False
)
SUCCESS = Outcome(status=Status.SUCCEEDED, output=Payload(text="[1,2.5,null]", size_bytes=12))
BLOB_SUCCESS = Outcome(status=Status.SUCCEEDED, output=Payload(blob="cached/2c26b46b", size_bytes=99_000))
FAILURE = Outcome(status=Status.FAILED, error=USER_ERROR)
SYSTEM_FAILURE = Outcome(status=Status.FAILED, error=SYSTEM_ERROR)
ABORT = Outcome(
    status=Status.ABORTED,
    error=ErrorInfo(code="ActionAbortedError", message="stopped by hand", recoverable=False),
)
TIMEOUT = Outcome(
    status=Status.TIMED_OUT,
    error=ErrorInfo(code="MaxRuntimeExceededError", message="ran 61 s", recoverable=False),
)
LOST = Attempt(
    number=1,
    executor=Executor(kind="worker", id="task-1/4"),
    started_at=1767312002.0,
    ended_at=1767312040.25,
    end="lost",
)
RUNNING = Attempt(number=2, executor=Executor(kind="lambda", id="req-2"), started_at=1767312041.0)

CASES: dict[str, tuple[Codec, Any]] = {
    "message_plain": (MESSAGE, wire.Message(action=PLAIN)),
    "message_root_with_token": (MESSAGE, wire.Message(action=PLAIN, task_token="AQCEAAAAKgAAAAMAAA==")),
    "message_full_with_blob": (MESSAGE, wire.Message(action=CHILD)),
    "outcome_success": (OUTCOME, SUCCESS),
    "outcome_success_blob": (OUTCOME, BLOB_SUCCESS),
    "outcome_failure": (OUTCOME, FAILURE),
    "outcome_system_failure": (OUTCOME, SYSTEM_FAILURE),
    "outcome_aborted": (OUTCOME, ABORT),
    "outcome_timed_out": (OUTCOME, TIMEOUT),
    "record_running": (
        RECORD,
        ActionRecord(
            spec=CHILD,
            status=Status.RUNNING,
            version=3,
            generation=2,
            created_at=1767312001.75,
            started_at=1767312002.0,
            losses=1,
            lease=Lease(id="lease-2", expires_at=1767312071.0),
            attempts=(LOST, RUNNING),
        ),
    ),
    "record_retrying": (
        RECORD,
        ActionRecord(
            spec=CHILD,
            status=Status.QUEUED,
            version=4,
            generation=2,
            created_at=1767312001.75,
            started_at=1767312002.0,
            not_before=1767312060.0,
            failures=1,
            lease=Lease(id="lease-2", expires_at=1767312071.0),
            attempts=(
                Attempt(
                    number=1,
                    executor=Executor(kind="local", id="pid-7"),
                    started_at=1767312002.0,
                    ended_at=1767312003.0,
                    end="failed",
                    error=USER_ERROR,
                ),
            ),
        ),
    ),
    "record_recovered": (
        RECORD,
        ActionRecord(
            spec=CHILD,
            status=Status.RUNNING,
            version=5,
            generation=2,
            created_at=1767312001.75,
            started_at=1767312009.0,
            lease=Lease(id="lease-2", expires_at=1767312071.0),
            attempts=(LOST, replace(RUNNING, number=2, started_at=1767312009.0, generation=2)),
        ),
    ),
    "record_succeeded": (
        RECORD,
        ActionRecord(
            spec=PLAIN,
            status=Status.SUCCEEDED,
            version=2,
            generation=1,
            created_at=1767312001.75,
            ended_at=1767312002.5,
            outcome=SUCCESS,
        ),
    ),
    "record_root_running": (
        RECORD,
        ActionRecord(
            spec=PLAIN,
            status=Status.RUNNING,
            version=1,
            generation=1,
            created_at=1767312001.75,
            started_at=1767312001.75,
            lease=Lease(id="5f0c", expires_at=1767312031.75),
            attempts=(RUNNING,),
            task_token="AQCEAAAAKgAAAAMAAA==",
        ),
    ),
    "record_from_cache": (
        RECORD,
        ActionRecord(
            spec=CHILD,
            status=Status.SUCCEEDED,
            version=1,
            generation=2,
            created_at=1767312001.75,
            ended_at=1767312001.75,
            outcome=BLOB_SUCCESS,
            cached_from=ActionKey("r0", "mfrggzdfmztwq2lk"),
        ),
    ),
    "record_suspended": (
        RECORD,
        ActionRecord(
            spec=replace(PLAIN, parent_sleeps=True),
            status=Status.SUSPENDED,
            version=5,
            generation=1,
            created_at=1767312001.75,
            started_at=1767312002.0,
            lease=Lease(id="lease-2", expires_at=1767312071.0),
            attempts=(
                Attempt(
                    number=1,
                    executor=Executor(kind="worker", id="task-1"),
                    started_at=1767312002.0,
                    ended_at=1767312042.0,
                    end="suspended",
                    note="its executor drained",
                ),
            ),
            suspension=Suspension(
                attempt=1, count=2, open_children=3, waiting_since=1767312003.5, task_token="AQCEAAAAKg=="
            ),
        ),
    ),
    "entry_scheduled": (
        ENTRY,
        Scheduled(
            at=1767312001.5,
            generation=2,
            shard=3,
            children=(
                Sent(action_id="aaaa", task="default.add", pool="default"),
                Sent(action_id="bbbb", task="reports.render", pool="reports"),
            ),
        ),
    ),
    "entry_scheduled_bounded": (
        ENTRY,
        Scheduled(
            at=1767312001.5,
            generation=2,
            shard=3,
            children=(
                Sent(
                    action_id="aaaa",
                    task="default.add",
                    pool="default",
                    bounds=Bounds(max_runtime_s=60.0, max_queued_s=30.5, deadline_s=3600.0),
                    queued_at=1767312001.25,
                ),
            ),
        ),
    ),
    "entry_missed": (
        ENTRY,
        Missed(at=1767312099.0, generation=2, action_ids=("aaaa", "bbbb"), sent_until=1767312001.5),
    ),
    "entry_completed": (
        ENTRY,
        Completed(at=1767312042.0, generation=2, action_id="aaaa", outcome=SUCCESS),
    ),
    "entry_completed_failed": (
        ENTRY,
        Completed(at=1767312042.0, generation=1, action_id="bbbb", outcome=FAILURE),
    ),
    "entry_traced": (
        ENTRY,
        Traced(at=1767312042.0, trace_id="t1", name="fetch", started_at=1767312041.0, outcome=BLOB_SUCCESS),
    ),
    "run_started": (
        RUN,
        RunRecord(spec=RunSpec(run_id="r1"), task="default.add", status=Status.QUEUED, root=PLAIN),
    ),
    "run_failed": (
        RUN,
        RunRecord(
            spec=FULL_RUN,
            task="reports.render",
            status=Status.FAILED,
            version=2,
            ended_at=1767312050.0,
            outcome=FAILURE,
            root=CHILD,
            labels={"owner": "ana"},
            outputs=("o0", "o1"),
        ),
    ),
    "entry_scheduled_by_a_try": (
        ENTRY,
        Scheduled(
            at=1767312001.5,
            generation=1,
            shard=0,
            children=(Sent(action_id="aaaa", task="default.add", pool="default", inputs="2c26b46b"),),
            failures=1,
        ),
    ),
    "entry_traced_by_a_try": (
        ENTRY,
        Traced(
            at=1767312042.0,
            trace_id="t1",
            name="fetch",
            started_at=1767312041.0,
            outcome=SUCCESS,
            generation=2,
            failures=1,
            nested=True,
        ),
    ),
    "entry_traces": (
        ENTRY,
        Traces(
            at=1767312043.5,
            traces=(
                Traced(
                    at=1767312042.0,
                    trace_id="t1",
                    name="fetch",
                    started_at=1767312041.0,
                    outcome=SUCCESS,
                    generation=2,
                ),
                Traced(
                    at=1767312043.0,
                    trace_id="t2",
                    name="fetch",
                    started_at=1767312042.0,
                    outcome=BLOB_SUCCESS,
                    generation=2,
                    failures=1,
                    nested=True,
                ),
            ),
        ),
    ),
    "message_of_a_strict_run": (
        MESSAGE,
        wire.Message(
            action=replace(
                PLAIN,
                run=RunSpec(
                    run_id="r1", generation=2, code_generation=2, strict=True, max_actions=500, max_depth=7
                ),
            )
        ),
    ),
    "record_warned": (
        RECORD,
        ActionRecord(
            spec=PLAIN,
            status=Status.SUCCEEDED,
            version=4,
            generation=1,
            created_at=1767312001.75,
            ended_at=1767312002.5,
            outcome=SUCCESS,
            warnings=(ActionWarning(code="NonDeterminismWarning", message="other calls", attempt=2),),
        ),
    ),
    "run_of_local_code": (
        RUN,
        RunRecord(
            spec=RunSpec(run_id="r1"),
            task="default.add",
            status=Status.QUEUED,
            root=PLAIN,
            code="code/2c26b46b.json",
        ),
    ),
    "run_of_sized_pools": (
        RUN,
        RunRecord(
            spec=RunSpec(run_id="r1"),
            task="default.add",
            status=Status.QUEUED,
            root=PLAIN,
            pools={
                "default": PoolSize(kind="lambda", memory_mib=1769),
                "warm": PoolSize(kind="worker", memory_mib=2048, vcpus=0.5, slots=16),
            },
        ),
    ),
    "cache_entry_of_a_task": (
        CACHE,
        CacheEntry(
            key="k7v2",
            output=Payload(blob="cached/2c26b46b", size_bytes=99_000),
            made_by=ActionKey("r1", "a0"),
            created_at=1767312002.5,
            task="reports.render",
            parts=PARTS,
            max_age_s=3600.0,
        ),
    ),
    "message_of_a_cached_task": (
        MESSAGE,
        wire.Message(action=replace(PLAIN, task=replace(PLAIN_TASK, cache_key="k7v2", cache_parts=PARTS))),
    ),
    "record_of_hits": (
        RECORD,
        ActionRecord(
            spec=PLAIN,
            status=Status.SUCCEEDED,
            version=2,
            generation=1,
            created_at=1767312001.75,
            ended_at=1767312002.5,
            outcome=SUCCESS,
            cached_from=ActionKey("r0", "a7"),
            cached_at=1767311000.5,
            hits={"reports.render": 7},
        ),
    ),
    "entry_hits": (
        ENTRY,
        Hits(
            at=1767312043.5,
            generation=2,
            children=(
                FromCache(
                    action_id="aaaa",
                    task="reports.render",
                    pool="reports",
                    output=Payload(text="1", size_bytes=1),
                    made_by=ActionKey("r0", "a7"),
                    made_at=1767311000.5,
                    inputs=Payload(text='{"x":1}', size_bytes=7),
                    group="nightly",
                ),
                FromCache(
                    action_id="bbbb",
                    task="reports.render",
                    pool="reports",
                    output=Payload(blob="cached/2c26b46b", size_bytes=99_000),
                    made_by=ActionKey("r0", "a8"),
                    made_at=1767311000.5,
                    items=3,
                ),
            ),
        ),
    ),
    "cache_entry": (
        CACHE,
        CacheEntry(
            key="k7v2",
            output=Payload(text='"done"', size_bytes=6),
            made_by=ActionKey("r1", "a0"),
            created_at=1767312002.5,
        ),
    ),
    "record_measured": (
        RECORD,
        ActionRecord(
            spec=PLAIN,
            status=Status.SUCCEEDED,
            version=2,
            generation=1,
            created_at=1767312001.75,
            started_at=1767312001.75,
            ended_at=1767312002.5,
            attempts=(
                replace(
                    RUNNING,
                    ended_at=1767312042.5,
                    end="succeeded",
                    phases=(250000, 0, 5000, 41, 273, 1490000, 680),
                    noticed=(Noticed("default.add", 12, 0.25, 0.125), Noticed("", 1, 0.5, 0.5)),
                ),
            ),
            outcome=SUCCESS,
        ),
    ),
    "message_limited": (MESSAGE, wire.Message(action=replace(PLAIN, task=LIMITED_TASK))),
    "message_with_secrets": (
        MESSAGE,
        wire.Message(
            action=replace(
                PLAIN,
                task=replace(PLAIN_TASK, secrets=(SecretSpec(name="db/password", env_var="DB_PASSWORD"),)),
            )
        ),
    ),
    "message_with_links": (
        MESSAGE,
        wire.Message(
            action=replace(
                PLAIN,
                task=replace(PLAIN_TASK, links=(TaskLink(name="Logs", url="https://x.example/{{.runName}}"),)),
            )
        ),
    ),
    "message_of_a_batch": (MESSAGE, wire.Message(action=replace(PLAIN, items=25))),
    "outcome_of_a_batch": (OUTCOME, replace(FAILURE, output=Payload(text="[null]", size_bytes=6), ran_s=1.25)),
    "entry_scheduled_batch": (
        ENTRY,
        Scheduled(
            at=1767312001.5,
            generation=2,
            shard=3,
            children=(
                Sent(
                    action_id="aaaa",
                    task="default.add",
                    pool="default",
                    batch=Mark(map_id="mmmm", first=50, count=25),
                ),
            ),
        ),
    ),
    "deployed_task": (
        DEPLOYED,
        DeployedTask(
            spec=PLAIN_TASK,
            bundle="b1",
            inputs={"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
            description="Adds.",
            outputs=("o0", "o1"),
            pools={"default": PoolSize(kind="lambda", memory_mib=1769, vcpus=1.0, slots=1)},
            deployed_at=1767312001.5,
        ),
    ),
    "inputs_given": (GIVEN_INPUTS, ({"x": 1, "when": "2024-01-02"}, {})),
    "hold": (HOLD, HELD),
    "hold_asleep": (HOLD, replace(HELD, scope="cache:k7v2", asleep=True)),
}


@pytest.mark.parametrize("name", CASES)
def test_what_version_1_wrote_is_read(name: str) -> None:
    (_, load), expected = CASES[name]
    assert load(golden(name)) == expected


@pytest.mark.parametrize("name", CASES)
def test_the_same_is_written_today(name: str) -> None:
    (dump, _), value = CASES[name]
    assert dump(value) == golden(name)


def test_what_the_state_machine_writes_is_read() -> None:
    text = (Path(__file__).parent / "state_machine_message_v1.json").read_text(encoding="utf-8")
    assert wire.load_message(text) == wire.Message(action=PLAIN, task_token="AQCEAAAAKgAAAAMAAA==")


def test_every_file_is_tested() -> None:
    assert {path.stem for path in V1.iterdir()} == set(CASES)


def golden(name: str) -> str:
    """Return the text of a golden file, without the newline that ends it."""
    [path] = V1.glob(f"{name}.*")
    return path.read_text(encoding="utf-8").removesuffix("\n")
