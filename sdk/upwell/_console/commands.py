"""The command lines that do what the console's pages do."""

from __future__ import annotations

from upwell._author.context import Mode
from upwell._core.model import RunRecord, Status


def run_commands(run: RunRecord, backend: Mode) -> dict[str, str]:
    """Return what to type for each thing on a run's page, by what it does."""
    run_id = run.spec.run_id
    lines = {
        "show the run": f"get run {run_id}",
        "list its actions": f"get actions {run_id}",
        "show what its tasks print": f"logs {run_id}" + ("" if run.status.is_terminal else " --follow"),
        "show where its time went": f"profile {run_id}",
        "show what it costs": f"get cost {run_id}",
    }
    if not run.status.is_terminal:
        lines["end it"] = f"abort {run_id}"
    elif run.status is not Status.SUCCEEDED:
        lines["go on with it"] = f"recover {run_id}"
    lines["run it again"] = f"rerun {run_id}"
    return {name: _line(line, backend) for name, line in lines.items()}


def action_commands(run_id: str, action_id: str, backend: Mode, *, is_open: bool) -> dict[str, str]:
    """Return what to type for each thing on an action's page, by what it does."""
    lines = {
        "show what went in and out": f"get io {run_id} {action_id}",
        "show what it printed": f"logs {run_id} {action_id}",
        "explain its time and its cache": f"why {run_id} {action_id}",
    }
    if is_open:
        lines["end it"] = f"abort {run_id} {action_id}"
    else:
        lines["run it once more, under the debugger"] = f"replay {run_id} {action_id}"
    return {name: _line(line, backend) for name, line in lines.items()}


def _line(line: str, backend: Mode) -> str:
    return f"upwell {line}" + ("" if backend == "local" else f" --backend {backend}")
