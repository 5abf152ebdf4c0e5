"""The command lines that do what the console's pages do."""

from __future__ import annotations

from upwell._author.context import Mode
from upwell._core.model import RunRecord, Status


def run_commands(run: RunRecord, backend: Mode) -> dict[str, str]:
    """Return what to type for each thing on a run's page, by name."""
    run_id = run.spec.run_id
    lines = {
        "run": f"get run {run_id}",
        "actions": f"get actions {run_id}",
        "profile": f"profile {run_id}",
        "cost": f"get cost {run_id}",
    }
    if not run.status.is_terminal:
        lines["abort"] = f"abort {run_id}"
    elif run.status is not Status.SUCCEEDED:
        lines["recover"] = f"recover {run_id}"
    lines["rerun"] = f"rerun {run_id}"
    return {name: _line(line, backend) for name, line in lines.items()}


def action_commands(run_id: str, action_id: str, backend: Mode, *, is_open: bool) -> dict[str, str]:
    """Return what to type for each thing on an action's page, by name."""
    lines = {"values": f"get io {run_id} {action_id}", "why": f"why {run_id} {action_id}"}
    if is_open:
        lines["abort"] = f"abort {run_id} {action_id}"
    return {name: _line(line, backend) for name, line in lines.items()}


def _line(line: str, backend: Mode) -> str:
    return f"upwell {line}" + ("" if backend == "local" else f" --backend {backend}")
