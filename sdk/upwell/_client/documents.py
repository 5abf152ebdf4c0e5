"""Records as JSON documents: snake_case names that stay, instants in ISO 8601 UTC, durations in seconds."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from upwell._core.holds import Hold
from upwell._core.model import ActionRecord, ActionWarning, Attempt, ErrorInfo, RunRecord
from upwell._core.ports import RunView
from upwell._types.given import load_inputs
from upwell._types.marks import FILE, FLOAT, FORM, MARK, MEMBER, PAIRS, PICKLE, TREE

ARRAY = "numpy.ndarray"
INTERRUPTED = "interrupted"
"""How a run stands whose process is gone: it is running, and nothing works on it."""
HIDDEN_LABELS = "upwell."
"""Labels whose names start so are upwell's own."""


def instant(at: float | None) -> str | None:
    """Return an instant as text: `2025-01-31T12:00:00.123Z`."""
    if not at:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration_s(started_at: float | None, ended_at: float | None) -> float | None:
    """Return a length of time in seconds; None while it is not known."""
    return None if not started_at or not ended_at else round(ended_at - started_at, 6)


def shown_status(run: RunRecord, alive: bool) -> str:
    """Return the status of a run for people and filters: one whose process is gone is interrupted."""
    return run.status.value.lower() if alive or run.status.is_terminal else INTERRUPTED


def labels(run: RunRecord) -> dict[str, str]:
    """Return the labels that the user gave."""
    return {key: value for key, value in run.labels.items() if not key.startswith(HIDDEN_LABELS)}


def run_document(run: RunRecord, *, backend: str, url: str, alive: bool) -> dict[str, Any]:
    """Return a run as `get runs` prints it.

    Args:
        run: The run.
        backend: Name of its backend.
        url: Where to look at it.
        alive: Whether something works on it; a local run whose process is gone is running and not alive.
    """
    error = run.outcome.error if run.outcome is not None else None
    return {
        "run": run.spec.run_id,
        "task": run.task,
        "backend": backend,
        "status": run.status.value.lower(),
        "alive": alive,
        "generation": run.spec.generation,
        "created_at": instant(run.spec.created_at),
        "began_at": instant(run.began_at),
        "ended_at": instant(run.ended_at),
        "duration_s": run.duration_s(time.time() if alive else None),
        "labels": labels(run),
        "url": url,
        "error": error_document(error),
    }


def counts_document(view: RunView) -> dict[str, dict[str, int]]:
    """Return the number of actions by task and status, both in order."""
    return {
        task: {status.lower(): n for status, n in sorted(counts.items()) if n}
        for task, counts in sorted(view.counts.items())
    }


def action_document(action: ActionRecord) -> dict[str, Any]:
    """Return an action as `get actions` prints it."""
    spec, cached = action.spec, action.cached_from
    error = action.outcome.error if action.outcome is not None else None
    return {
        "id": spec.action_id,
        "parent": spec.parent_id,
        "task": spec.task.name,
        "group": spec.group,
        "status": action.status.value.lower(),
        "pool": spec.task.pool,
        "attempts": [_attempt_document(attempt) for attempt in action.attempts],
        "failures": action.failures,
        "losses": action.losses,
        "created_at": instant(action.created_at),
        "started_at": instant(action.started_at),
        "ended_at": instant(action.ended_at),
        "duration_s": duration_s(action.started_at, action.ended_at),
        "input_bytes": spec.inputs.size_bytes,
        "output_bytes": _output_bytes(action),
        "cached_from": f"{cached.run_id}/{cached.action_id}" if cached is not None else None,
        "cached": provenance_document(action),
        "error": error_document(error),
        "warnings": [_warning_document(warning) for warning in action.warnings],
    }


def _output_bytes(action: ActionRecord) -> int:
    """Return the size of an action's encoded result; 0 where there is none."""
    output = action.outcome.output if action.outcome is not None else None
    return 0 if output is None else output.size_bytes


def provenance_document(action: ActionRecord) -> dict[str, Any] | None:
    """Return who made the result of an action that was found in the cache, and when; None of others."""
    made_by = action.cached_from
    if made_by is None:
        return None
    return {"run": made_by.run_id, "action": made_by.action_id, "created_at": instant(action.cached_at)}


def _warning_document(warning: ActionWarning) -> dict[str, Any]:
    return {"code": warning.code, "message": warning.message, "attempt": warning.attempt}


def _attempt_document(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "generation": attempt.generation,
        "executor_kind": attempt.executor.kind,
        "executor_id": attempt.executor.id,
        "started_at": instant(attempt.started_at),
        "ended_at": instant(attempt.ended_at),
        "duration_s": duration_s(attempt.started_at, attempt.ended_at),
        "end": attempt.end or None,
        "note": attempt.note or None,
        "error_code": attempt.error.code if attempt.error is not None else None,
    }


def holder_document(hold: Hold, record: ActionRecord | None, now: float) -> dict[str, Any]:
    """Return a place as `get holders` prints it.

    Args:
        hold: The place.
        record: Of the action that holds it.
        now: The time, epoch seconds; a hold that ran out is the next one's.
    """
    is_current = record is not None and record.lease is not None and record.lease.id == hold.lease_id
    return {
        "scope": hold.scope,
        "place": hold.place,
        "run": hold.run_id,
        "action": hold.action_id,
        "task": hold.task,
        "attempt": record.attempt if record is not None and is_current else None,
        "executor_kind": hold.executor.kind,
        "executor_id": hold.executor.id,
        "since": instant(hold.since),
        "expires_at": None if hold.asleep else instant(hold.expires_at),
        "state": "asleep" if hold.asleep else "held" if hold.expires_at > now else "expired",
    }


def error_document(error: ErrorInfo | None) -> dict[str, Any] | None:
    """Return a failure."""
    if error is None:
        return None
    return {
        "code": error.code,
        "kind": error.kind,
        "message": error.message,
        "executor": error.worker,
        "traceback": error.traceback or None,
    }


def values_document(data: bytes) -> dict[str, Any]:
    """Return encoded values by name. What was pickled is shown as such, and never unpickled."""
    values: dict[str, Any] = readable(json.loads(data))
    return values


def inputs_document(data: bytes) -> dict[str, Any]:
    """Return encoded inputs by name, as `values_document` does."""
    values: dict[str, Any] = readable(load_inputs(data))
    return values


def outputs_document(data: bytes, names: tuple[str, ...] | None) -> dict[str, Any]:
    """Return an encoded result as outputs by name: `o0`, or one per name where the task has several."""
    value = values_document(data)["value"]
    if names is not None and len(names) == 1:
        return {names[0]: value}
    if names is not None and isinstance(value, list) and len(value) == len(names):
        return dict(zip(names, value, strict=True))
    return {"o0": value}


def readable(value: Any) -> Any:
    """Return JSON of values without the marks that only programs need."""
    if isinstance(value, list):
        return [readable(item) for item in value]
    if not isinstance(value, dict):
        return value
    mark = value.get(MARK)
    if mark == PICKLE:
        return {"pickle": True, "size_bytes": _decoded_bytes(value)}
    if mark in (TREE, FLOAT):
        return readable(value["value"])
    if mark == FORM:
        return _form_document(value)
    if mark == FILE and "num_rows" in value:
        return _frame_document(value)
    if mark == PAIRS:
        return [[readable(key), readable(item)] for key, item in value.get("items", [])]
    if MEMBER in value and set(value) == {MEMBER, "value"}:
        return readable(value["value"])
    return {key: readable(item) for key, item in value.items() if not (key == MARK and item == FILE)}


def _frame_document(value: dict[str, Any]) -> dict[str, Any]:
    """Return what a data frame looks like; a small one travels in the value, and only its size is shown."""
    where = {"size_bytes": _decoded_bytes(value)} if value.get("data") else {"uri": value.get("path")}
    return {"frame": value.get("format"), **where} | {key: value.get(key) for key in ("num_rows", "columns")}


def _form_document(value: dict[str, Any]) -> dict[str, Any]:
    """Return a value of a registered type: what it is, and as much of it as is JSON."""
    name = {"type": value.get("type")}
    inner = readable(value.get("value"))
    if "data" in value:
        return name | {"size_bytes": _decoded_bytes(value)}
    if not isinstance(inner, dict):
        return name | {"value": inner}
    if name["type"] == ARRAY and "data" in inner:
        shown = {key: inner.get(key) for key in ("dtype", "shape")}
        return name | shown | {"size_bytes": _decoded_bytes(inner)}
    return name | inner


def _decoded_bytes(value: dict[str, Any]) -> int:
    text = str(value.get("data", ""))
    return len(text) * 3 // 4 - text.count("=")
