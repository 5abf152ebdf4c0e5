"""Records to store, in as few words as the tests need."""

from __future__ import annotations

from dataclasses import replace

from upwell._core.journal import Completed, Scheduled, Sent, Traced
from upwell._core.model import (
    ActionKey,
    ActionRecord,
    ActionSpec,
    Attempt,
    CacheEntry,
    Executor,
    Lease,
    Outcome,
    Payload,
    RunRecord,
    RunSpec,
    Status,
    TaskSpec,
)

NOW = 1_800_000_000.25
PARENT = ActionKey("r1", "a0")


def value(text: str = '"ü 漢"') -> Payload:
    return Payload(text=text, size_bytes=len(text.encode()))


def succeeded(text: str = "1") -> Outcome:
    return Outcome(status=Status.SUCCEEDED, output=value(text))


def action_spec(action_id: str = "a1", *, run_id: str = "r1", task: str = "env.double") -> ActionSpec:
    return ActionSpec(
        run=RunSpec(run_id=run_id, created_at=NOW, custom_context={"team": "ä"}),
        action_id=action_id,
        task=TaskSpec(name=task, module="flow", pool="default"),
        inputs=value('{"x":1}'),
        parent_id="a0",
        queued_at=NOW,
    )


def running(
    action_id: str = "a1", *, run_id: str = "r1", task: str = "env.double", version: int = 1
) -> ActionRecord:
    return ActionRecord(
        spec=action_spec(action_id, run_id=run_id, task=task),
        status=Status.RUNNING,
        version=version,
        generation=1,
        created_at=NOW,
        started_at=NOW,
        lease=Lease(id="lease-1", expires_at=NOW + 30),
        attempts=(Attempt(number=1, executor=Executor(kind="local", id="p1"), started_at=NOW),),
    )


def ended(record: ActionRecord, outcome: Outcome | None = None) -> ActionRecord:
    outcome = outcome or succeeded()
    return replace(record, status=outcome.status, version=record.version + 1, outcome=outcome, ended_at=NOW + 1)


def run_record(run_id: str = "r1", *, created_at: float = NOW, version: int = 1) -> RunRecord:
    root = action_spec("a0", run_id=run_id, task="env.main")
    root = replace(root, parent_id=None, run=replace(root.run, created_at=created_at))
    return RunRecord(
        spec=root.run,
        task="env.main",
        status=Status.RUNNING,
        version=version,
        root=root,
        labels={"kind": "nightly"},
    )


def scheduled(at: float, *action_ids: str) -> Scheduled:
    children = tuple(Sent(action_id=a, task="env.double", pool="default") for a in action_ids)
    return Scheduled(at=at, generation=1, shard=0, children=children)


def completed(at: float, action_id: str, outcome: Outcome | None = None) -> Completed:
    return Completed(at=at, generation=1, action_id=action_id, outcome=outcome or succeeded())


def traced(at: float, trace_id: str) -> Traced:
    return Traced(at=at, trace_id=trace_id, name="fetch", started_at=at - 0.5, outcome=succeeded())


def cache_entry(key: str, text: str = "1") -> CacheEntry:
    return CacheEntry(key=key, output=value(text), made_by=PARENT, created_at=NOW)
