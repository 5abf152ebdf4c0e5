"""Tables of runs, actions and tasks: drawn on a terminal, plain columns elsewhere."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from upwell._author.task import Task
from upwell._cli.arguments import value_hint
from upwell._cli.progress import STYLES, totals
from upwell._cli.session import hint
from upwell._cli.terminal import note, one_line, out, plain
from upwell._client import documents
from upwell._core.model import ActionKey, ActionRecord, RunRecord, Status
from upwell._core.ports import RunView

RIGHT = {"duration", "attempts", "place", "attempt"}
UNBROKEN = {"run", "action", "status", "duration"}
"""Columns that are copied or compared: never wrapped."""


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows; on a pipe, columns are separated by at least two spaces and nothing is cut."""
    console = out()
    if not console.is_terminal:
        print(_columns([columns, *([str(cell) for cell in row] for row in rows)]))
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        side: Any = "right" if column in RIGHT else "left"
        table.add_column(column, justify=side, overflow="fold", no_wrap=column in UNBROKEN)
    for row in rows:
        table.add_row(*(cell if not isinstance(cell, str) else plain(cell) for cell in row))
    console.print(table, soft_wrap=False)


def status_cell(status: Status) -> Any:
    """Return a status in its colour."""
    return plain(status.value.lower(), STYLES.get(status, ""))


def _run_status(run: RunRecord, document: dict[str, Any]) -> Any:
    shown = documents.shown_status(run, document["alive"])
    return plain(shown, "magenta") if shown == documents.INTERRUPTED else status_cell(run.status)


def print_runs(runs: Sequence[tuple[RunRecord, dict[str, Any]]]) -> None:
    """Print a list of runs, each given as a record and as a document."""
    rows = [
        (
            run.spec.run_id,
            run.task,
            _run_status(run, document),
            _time(run.spec.created_at),
            _took(document["duration_s"], run.ended_at is None),
            " ".join(f"{k}={v}" for k, v in documents.labels(run).items()),
        )
        for run, document in runs
    ]
    print_table(("run", "task", "status", "created", "duration", "labels"), rows)


def print_run(run: RunRecord, view: RunView, document: dict[str, Any]) -> None:
    """Print what there is to know about a run."""
    error = run.outcome.error if run.outcome is not None else None
    fields = {
        "run": run.spec.run_id,
        "task": run.task,
        "status": str(_run_status(run, document)),
        "backend": document["backend"],
        "created": _time(run.spec.created_at),
        "duration": _took(document["duration_s"], run.ended_at is None),
        "generation": _generation(run),
        "labels": " ".join(f"{k}={v}" for k, v in documents.labels(run).items()),
        "url": document["url"],
        "error": one_line(f"{error.code}: {error.message}") if error is not None else "",
    }
    if fields["status"] == documents.INTERRUPTED:
        fields["next"] = f"{hint(f'recover {run.spec.run_id}')} goes on with it"
    print_fields(fields, {"status": STYLES.get(run.status, "")})
    statuses = list(totals(view))
    if not statuses:
        return
    print()
    rows = [
        (task, *(str(counts.get(status.value, 0)) for status in statuses))
        for task, counts in sorted(view.counts.items())
    ]
    print_table(("task", *(status.value.lower() for status in statuses)), rows)


def _generation(run: RunRecord) -> str:
    generation = run.spec.generation
    return str(generation) if generation == 1 else f"{generation}, since {_time(run.began_at)}"


def print_fields(fields: Mapping[str, str], styles: Mapping[str, str] | None = None) -> None:
    """Print names and values below each other, those that have one.

    Args:
        fields: Values by name.
        styles: In which style a value is printed, by name.
    """
    console, width = out(), max(map(len, fields), default=0) + 1
    for name, value in fields.items():
        if value:
            console.print(plain(f"{name:<{width}} ", "bold") + plain(value, (styles or {}).get(name, "")))


def print_actions(actions: Sequence[ActionRecord]) -> None:
    """Print a list of actions."""
    rows = []
    for action in actions:
        last = action.attempts[-1] if action.attempts else None
        error = action.outcome.error if action.outcome is not None else None
        cached = action.cached_from
        rows.append(
            (
                action.spec.action_id,
                action.spec.parent_id or "",
                action.spec.task.name,
                status_cell(action.status),
                str(action.attempt),
                f"{last.executor.kind} {last.executor.id}" if last is not None else "",
                _length(action.started_at, action.ended_at, action.status),
                _remark(action, error.code if error is not None else None, cached),
            )
        )
    columns = ("action", "parent", "task", "status", "attempts", "executor", "duration", "remarks")
    print_table(columns, rows)
    for action in actions:
        for warning in action.warnings:
            note(f"{action.spec.action_id} attempt {warning.attempt}: {warning.code}: {warning.message}")


def print_holders(shown: Sequence[dict[str, Any]]) -> None:
    """Print who holds which place, given as documents."""
    rows = [
        (
            place["scope"],
            str(place["place"]),
            place["run"],
            place["action"],
            str(place["attempt"] or ""),
            f"{place['executor_kind']} {place['executor_id']}",
            _local_time(place["since"]),
            _local_time(place["expires_at"]) or place["state"],
            "" if place["state"] == "held" else place["state"],
        )
        for place in shown
    ]
    columns = ("scope", "place", "run", "action", "attempt", "executor", "since", "expires", "remarks")
    print_table(columns, rows)


def print_tasks(file: str, tasks: Sequence[Task[..., Any]]) -> None:
    """Print the tasks of a file and how they are called."""
    rows = []
    for task in tasks:
        options = [
            f"--{p.name.replace('_', '-')} {value_hint(p.annotation)}" if p.is_required else f"[--{p.name}]"
            for p in task.interface.parameters.values()
        ]
        summary = (inspect.getdoc(task.func) or "").partition("\n")[0]
        rows.append((task.func.__name__, task.env.name, " ".join(options), summary))
    print_table(("task", "environment", "parameters", "what it does"), rows)


def _remark(action: ActionRecord, code: str | None, cached: ActionKey | None) -> str:
    lost = f"{action.losses} lost" if action.losses else ""
    failed = f"{action.failures} failed" if action.failures and action.status is Status.SUCCEEDED else ""
    warned = ", ".join(dict.fromkeys(warning.code for warning in action.warnings))
    maker = f"cached from {cached.run_id}/{cached.action_id}" if cached is not None else ""
    parts = [maker, lost, failed, code or "", warned, action.spec.group or ""]
    return ", ".join(part for part in parts if part)


def _time(at: float) -> str:
    """Return a time of this machine's zone."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else ""


def _local_time(instant: str | None) -> str:
    return _time(datetime.fromisoformat(instant).timestamp()) if instant else ""


def _length(started_at: float | None, ended_at: float | None, status: Status) -> str:
    """Return how long something took, or has taken so far."""
    if not started_at:
        return ""
    if ended_at is None and status not in {Status.RUNNING, Status.SUSPENDED}:
        return ""
    return _took((ended_at or time.time()) - started_at, ended_at is None)


def _took(seconds: float | None, goes_on: bool) -> str:
    if seconds is None:
        return ""
    so_far = "+" if goes_on else ""
    if seconds < 10:
        return f"{seconds:.3f} s{so_far}"
    if seconds < 120:
        return f"{seconds:.1f} s{so_far}"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}{so_far}" if hours else f"{minutes}:{rest:02} min{so_far}"


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
